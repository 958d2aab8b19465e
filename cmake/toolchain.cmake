# Compiler, linker and cache settings that every target shares.
add_library(capstan_options INTERFACE)
target_compile_options(capstan_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fno-omit-frame-pointer
  -ffp-contract=off)  # replicas on different CPUs agree to the bit
target_include_directories(capstan_options INTERFACE ${CMAKE_SOURCE_DIR})

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Lets ccache hash a source that is compiled with a precompiled header.
  target_compile_options(capstan_options INTERFACE -fpch-preprocess)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The same for Clang, whose precompiled header would hold the time when it was made.
  target_compile_options(capstan_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

set(CAPSTAN_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
if(CAPSTAN_SANITIZE)
  add_compile_options(-fsanitize=${CAPSTAN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CAPSTAN_SANITIZE})
endif()

option(CAPSTAN_COVERAGE "Instrument for line coverage (Clang)" OFF)
if(CAPSTAN_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

option(CAPSTAN_FUZZ "Build the searching fuzzer (Clang)" OFF)
if(CAPSTAN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

find_program(LLD ld.lld)
if(LLD)
  add_link_options(-fuse-ld=lld)
endif()
