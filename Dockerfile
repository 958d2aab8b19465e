# Capstan in containers. `docker build --target capstan .` makes the image of the program alone; without a
# target it also holds the films of the example. docs/DOCKER.md tells the rest.
ARG DEBIAN=debian:bookworm-slim

FROM ${DEBIAN} AS films
COPY scripts/install.sh scripts/movielens_from_debian.sh scripts/packages.txt /source/scripts/
RUN /source/scripts/movielens_from_debian.sh /films

FROM ${DEBIAN} AS build
COPY scripts/packages.txt /source/scripts/
RUN apt-get update -qq \
 && sed '/^# To develop/,$d; /^#/d' /source/scripts/packages.txt \
    | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -qq --no-install-recommends >/dev/null \
 && rm -rf /var/lib/apt/lists/*
# http://HOST:PORT of a ccache server, if you have one: minutes instead of a quarter of an hour.
ARG CCACHE_REMOTE_STORAGE=
RUN [ -z "$CCACHE_REMOTE_STORAGE" ] || { apt-get update -qq && apt-get install -y -qq ccache; }
ENV LANG=C.UTF-8 CCACHE_COMPILERCHECK=content
WORKDIR /source
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY common common
COPY ps ps
COPY scheduler scheduler
COPY worker worker
COPY cli cli
COPY packaging/capstan@.service.in packaging/
RUN cmake --preset release -DCAPSTAN_TESTS=OFF >/dev/null && cmake --build --preset release
COPY packaging packaging
COPY configs configs
RUN cd build/release && cpack -B /package && rm -r /package/_CPack_Packages

FROM ${DEBIAN} AS capstan
COPY --from=build /package /package
RUN groupadd --gid 10001 capstan \
 && useradd --uid 10001 --gid capstan --home-dir /state --shell /usr/sbin/nologin capstan \
 && install -d -o capstan -g capstan -m 2775 /state \
 && apt-get update -qq \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get install -y -qq --no-install-recommends /package/*.deb >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /package
COPY packaging/entrypoint.sh /usr/bin/capstan-entrypoint
USER capstan
WORKDIR /state
ENTRYPOINT ["capstan-entrypoint"]
CMD ["--help"]

FROM capstan
COPY --from=films /films /data
