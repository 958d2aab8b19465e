# What scripts/compose.sh checks, in the clone that it made; `compose` is the command.

# A smaller model, for what is not about its figures.
small="--set model.embedding_dim=8 --set evaluate.baselines=[]"

# VARIABLE=VALUE... : the job from its start to its end. Its output goes to up.log, its exit code to `code`.
run_job() {
  $compose down --volumes --timeout 1 >/dev/null 2>&1
  SECONDS=0
  env "$@" $compose up >up.log 2>&1
  code="$(docker inspect -f '{{.State.ExitCode}}' "$(container scheduler)")"
}

# ROLE: the containers of a role, running or not.
container() { $compose ps -a -q "$1" 2>/dev/null || $compose ps -q "$1"; }

expect() {  # WORDS... COMMAND is what follows --
  local words=()
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  "$@" && return
  echo "compose.sh: ${words[*]}; the last lines of $PWD/up.log:" >&2
  tail -n 40 up.log >&2
  return 1
}

in_log() { grep -q -- "$1" up.log; }
in_report() { grep -q -- "$1" out/movielens/report.json; }

check_first_run() {
  run_job
  expect "the job ended with exit code $code" -- [ "$code" = 0 ]
  expect "no report" -- test -s out/movielens/report.json
  expect "the report has no recall" -- in_report '"recall@10"'
  for role in ps worker; do
    for each in $(container $role); do
      expect "a $role ended with a failure" -- [ "$(docker inspect -f '{{.State.ExitCode}}' "$each")" = 0 ]
    done
  done
  echo "first run: exit code 0, report in ./out, $SECONDS s"
}

# Whoever owns the clone owns the report.
check_owner() {
  rm -rf out
  chown -R 4321 .
  run_job CAPSTAN_ARGS="$small --set train.passes=1"
  expect "the job ended with exit code $code" -- [ "$code" = 0 ]
  expect "the report is not its user's" -- [ "$(stat -c %u out/movielens/report.json)" = 4321 ]
  chown -R "$(id -u)" .
  echo "another user's clone: the report is that user's"
}

check_three_workers() {
  $compose down --volumes --timeout 1 >/dev/null 2>&1
  code=0
  CAPSTAN_ARGS="$small --set train.passes=2 --set checkpoint.path=encrypted:/state/kept" \
    $compose up --exit-code-from scheduler --scale worker=3 >up.log 2>&1 || code=$?
  expect "--exit-code-from scheduler gave $code" -- [ "$code" = 0 ]
  expect "not three workers" -- [ "$(container worker | wc -l)" = 3 ]
  echo "three workers, encrypted checkpoints: exit code 0"
}

# A server is killed in mid-run and started again.
check_lost_server() {
  $compose down --volumes --timeout 1 >/dev/null 2>&1
  SECONDS=0
  export CAPSTAN_REPLICAS=2 CAPSTAN_ARGS="$small --set train.passes=40"
  $compose up -d >up.log 2>&1
  local scheduler victim
  scheduler="$(container scheduler)"
  read -r victim < <(container ps)
  expect "training did not begin" -- await 120 "$scheduler" "pass 1 of"
  expect "a tool without keys got an answer" -- has_no_answer "$scheduler"
  docker kill --signal KILL "$victim" >/dev/null
  expect "the loss was not noticed" -- await 60 "$scheduler" "was lost"
  docker start "$victim" >/dev/null
  expect "the server did not come back" -- await 120 "$scheduler" "all chains are whole again"
  code="$(docker wait "$scheduler")"
  $compose logs >up.log 2>&1
  unset CAPSTAN_REPLICAS CAPSTAN_ARGS
  expect "the job ended with exit code $code" -- [ "$code" = 0 ]
  expect "the report does not tell of the loss" -- in_report "was lost; its shards go on at their backups"
  echo "a server killed in mid-run, and started again: exit code 0, the report tells of it, $SECONDS s"
}

has_no_answer() {  # CONTAINER
  ! docker exec -e CAPSTAN_KEYS= "$1" timeout 10 capstan status --scheduler tcp://127.0.0.1:7000 \
    --job movielens >/dev/null 2>&1
}

# SECONDS CONTAINER WORDS: until the container's log has the words.
await() {
  local until=$((SECONDS + $1))
  until grep -q -- "$3" <(docker logs "$2" 2>&1); do
    [ $SECONDS -lt $until ] && [ "$(docker inspect -f '{{.State.Running}}' "$2")" = true ] || return 1
    sleep 0.2
  done
}

check_stop() {
  $compose down --volumes --timeout 1 >/dev/null 2>&1
  export CAPSTAN_ARGS="$small --set train.passes=40"
  $compose up -d >up.log 2>&1
  expect "training did not begin" -- await 120 "$(container scheduler)" "pass 1 of"
  $compose stop >/dev/null 2>&1
  $compose logs >up.log 2>&1
  expect "no checkpoint was made at the stop" -- in_log "is kept, go on with --resume"
  CAPSTAN_ARGS+=" --resume"
  $compose up >up.log 2>&1
  code="$(docker inspect -f '{{.State.ExitCode}}' "$(container scheduler)")"
  unset CAPSTAN_ARGS
  expect "--resume ended with exit code $code" -- [ "$code" = 0 ]
  echo "stopped with a checkpoint, gone on from there: exit code 0"
}

# What newcomers get wrong is told in words, and the job ends.
check_mistakes() {
  rm -rf out
  install -d -o 4321 -m 555 out
  run_job
  expect "an ./out that cannot be written was no failure" -- [ "$code" != 0 ]
  expect "no words about ./out" -- in_log "cannot write into ./out"
  rm -rf out
  run_job CAPSTAN_DATA=./no-such-data
  expect "no data was no failure" -- [ "$code" != 0 ]
  expect "no words about the data" -- in_log "/data: no MovieLens layout"
  run_job CAPSTAN_JOB=no_such_job
  expect "no job was no failure" -- [ "$code" != 0 ]
  expect "no words about the job" -- in_log "no_such_job.yaml"
  rm -rf out no-such-data
  echo "an ./out that cannot be written, no data, no job: told in words"
}

# Prometheus finds every node, by the profile. Its image is Debian's package, unless another is named.
check_monitoring() {
  local watched="$compose --profile monitoring"
  export CAPSTAN_PROMETHEUS="${CAPSTAN_PROMETHEUS:-capstan-prometheus}"
  docker image inspect "$CAPSTAN_PROMETHEUS" >/dev/null 2>&1 ||
    docker build -q --network host -t "$CAPSTAN_PROMETHEUS" - >up.log 2>&1 <<DOCKER
FROM $base
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus >/dev/null
CMD ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
DOCKER
  $compose down --volumes --timeout 1 >/dev/null 2>&1
  export CAPSTAN_ARGS="$small --set train.passes=40"
  $watched up -d scheduler ps worker prometheus >up.log 2>&1
  expect "training did not begin" -- await 120 "$(container scheduler)" "pass 1 of"
  expect "Prometheus does not see all nodes" -- sees_nodes "$($watched ps -q prometheus)"
  $watched down --volumes --timeout 1 >/dev/null 2>&1
  unset CAPSTAN_ARGS
  echo "profile monitoring: Prometheus sees scheduler, servers and workers"
}

sees_nodes() {  # CONTAINER of Prometheus
  local until=$((SECONDS + 60)) seen
  until [ $SECONDS -ge $until ]; do
    seen="$(docker exec "$1" promtool query instant http://127.0.0.1:9090 'count by (role) (up == 1)' 2>&1)"
    [[ $seen == *'"ps"} => 2'* && $seen == *'"scheduler"} => 1'* && $seen == *'"worker"} => 2'* ]] && return
    sleep 1
  done
  echo "$seen" >&2
  return 1
}

check_all() {
  check_first_run
  check_lost_server
  check_three_workers
  check_monitoring
  check_stop
  check_owner
  check_mistakes
}
