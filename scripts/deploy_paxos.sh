#!/usr/bin/env bash
# Puts the contracts on a chain and runs the 23 Paxos nodes.
#
# usage: scripts/deploy_paxos.sh [COMMAND] [--help]
#
#   start          (the default) builds what is missing, makes sure that a chain answers, deploys the
#                  contracts unless they are there, the exchange of performance tokens too, starts the
#                  nodes that do not run, and waits until all answer. Safe to run again.
#   fill           opens the exchange's markets of the newest leaderboard and fills them up, with money
#                  for //Alice: after the first leaderboard, and after one with new frameworks
#   build          only builds the contracts and the workers
#   status         what runs; exit status 0: every node answers, 3: not
#   stop           stops the nodes, and the chain if start started it
#   kill SEAT      kills a node at once, as a crash would (kill -9)
#   restart SEAT   stops a node if it runs, and starts it again
#   lie SEAT LIE   replaces a node by one that lies (see paxos-liar --help); restart makes it honest
#   liars          replaces as many nodes as may lie, 7 of 23: the leader and the next equivocate, others
#                  forge, replay, and keep silent
#
# environment:
#   CICADA_STATE        network file, keys, logs, the nodes' disks (default .demo in the checkout)
#   CICADA_URL          address of a node of the chain (default ws://127.0.0.1:9944); if none
#                       answers there, one is started
#   CICADA_BASE_PORT    node i listens on this port + i, on loopback (default 7100)
#   CICADA_NODES        number of nodes (default 23)
#   CICADA_FAULT_MODEL  byzantine (default: 7 of 23 nodes may lie) or crash (11 of 23 may stop)
#   CICADA_RESULTS      evaluation results of the nodes (default examples/results.jsonl)
#   CICADA_BUILT        yes: start does not look whether something has to be built
#   CICADA_ADDRESSES    where to write the contracts' addresses for frontends (default
#                       frontend-abi/addresses/local.json; with CICADA_STATE, addresses.json in it)
#
# examples:
#   ./deploy_paxos.sh && cargo run --release --bin paxos-market
#   scripts/deploy_paxos.sh kill 5 && scripts/deploy_paxos.sh restart 5
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ADDRESSES="$CICADA_ROOT/frontend-abi/addresses/local.json"
[ -z "${CICADA_STATE:-}" ] || ADDRESSES="$CICADA_STATE/addresses.json"
ADDRESSES="${CICADA_ADDRESSES:-$ADDRESSES}"
export CICADA_STATE="${CICADA_STATE:-$CICADA_ROOT/.demo}"
URL="${CICADA_URL:-ws://127.0.0.1:9944}"
BASE_PORT="${CICADA_BASE_PORT:-7100}"
NODES="${CICADA_NODES:-23}"
RESULTS="${CICADA_RESULTS:-$CICADA_ROOT/examples/results.jsonl}"
NETWORK="$CICADA_STATE/network.toml"
PEERS="$CICADA_STATE/nodes"
CHAIN_IS_OURS="$CICADA_STATE/chain-started"
BIN="$(programs)"
BUNDLES="$CICADA_ROOT/contracts/target/ink"
ANSWER_SECONDS=60
STOP_SECONDS=15

# ---- one node ----------------------------------------------------------------------------------

# deployment: eight bytes that name the deployment: what a node promised in another one is not for this.
deployment() { sed -n 's/^validators *= *"0x\([0-9a-f]\{16\}\).*/\1/p' "$NETWORK"; }

pid_file() { printf '%s/%02d.pid' "$PEERS" "$1"; }

# running SEAT: prints the process id of a node that this script started and that still runs.
running() {
  local pid
  read -r pid 2>/dev/null <"$(pid_file "$1")" || return 1
  [[ "$(ps -o args= -p "$pid" 2>/dev/null)" == *paxos-@(node|liar)* ]] && printf '%s\n' "$pid"
}

# exchange: the exchange of the network file. Nodes that run without it know no volumes.
exchange() { sed -n 's/^exchange *= *"0x\([0-9a-f]\{16\}\).*/\1/p' "$NETWORK"; }

# serves: what a node serves that is started now.
serves() { printf '%s %s' "$(deployment)" "$(exchange)"; }

# current SEAT: does the running node serve the deployment of the network file?
current() { [ "$(sed -n 2p "$(pid_file "$1")" 2>/dev/null)" = "$(serves)" ]; }

answers() { curl --silent --fail --max-time 5 --output /dev/null "http://127.0.0.1:$((BASE_PORT + $1))/paxos/status"; }

# start_node SEAT [LIE]
start_node() {
  local seat="$1" name data program=("$BIN/paxos-node")
  [ -z "${2:-}" ] || program=("$BIN/paxos-liar" --lie "$2")
  name="$(printf '%02d' "$seat")"
  data="$PEERS/$(deployment)/$name"
  mkdir -p "$data"
  setsid nohup "${program[@]}" --network "$NETWORK" --seat "$seat" \
    --keys "$CICADA_STATE/keys/node-$name.toml" --data "$data" --results "$RESULTS" \
    --bundles "$BUNDLES" >>"$PEERS/$name.log" 2>&1 </dev/null &
  printf '%s\n%s\n' "$!" "$(serves)" >"$(pid_file "$seat")"
}

# stop_nodes SIGNAL SEAT…: sends the signal to all of them, then waits for each.
stop_nodes() {
  local signal="$1" seat pid deadline=$((SECONDS + STOP_SECONDS)) pids=()
  shift
  for seat in "$@"; do
    pid="$(running "$seat")" && kill -s "$signal" "$pid" && pids+=("$pid")
    rm -f "$(pid_file "$seat")"
  done
  for pid in "${pids[@]}"; do
    while kill -0 "$pid" 2>/dev/null; do
      [ $SECONDS -lt $deadline ] || { warn "process $pid ignores the request to stop: killing it"; kill -9 "$pid"; break; }
      sleep 0.1
    done
  done
  STOPPED="${#pids[@]}"
}

# await SEAT…: until all of them answer.
await() {
  local seat deadline=$((SECONDS + ANSWER_SECONDS))
  for seat in "$@"; do
    until answers "$seat"; do
      running "$seat" >/dev/null || die "node $seat stopped: $(tail -n 3 "$PEERS/$(printf '%02d' "$seat").log")"
      [ $SECONDS -lt $deadline ] || die "node $seat does not answer on port $((BASE_PORT + seat)); its log is $PEERS/$(printf '%02d' "$seat").log"
      sleep 0.2
    done
    running "$seat" >/dev/null || die "port $((BASE_PORT + seat)) is taken by another node: stop it, or choose other ports with CICADA_BASE_PORT"
  done
}

# ---- commands ----------------------------------------------------------------------------------

build() {
  "$CICADA_ROOT/scripts/build-contracts" >&2
  (cd "$CICADA_ROOT" && build_programs "the workers" \
    --bin deploy-paxos --bin deploy-exchange --bin paxos-node --bin paxos-liar --bin paxos-market)
}

start() {
  local seat started=()
  [ "${CICADA_BUILT:-no}" = yes ] || build
  mkdir -p "$PEERS"
  # Remembered for stop: a chain that was there before is left running.
  "$CICADA_ROOT/scripts/node" status --url "$URL" >/dev/null 2>&1 || touch "$CHAIN_IS_OURS"
  "$CICADA_ROOT/scripts/node" start --url "$URL"
  (cd "$CICADA_ROOT" && "$BIN/deploy-paxos" --url "$URL" --out "$NETWORK" --keys "$CICADA_STATE/keys" \
    --nodes "$NODES" --base-port "$BASE_PORT" --addresses "$ADDRESSES" \
    ${CICADA_FAULT_MODEL:+--fault-model "$CICADA_FAULT_MODEL"})
  exchange_of
  for ((seat = 0; seat < NODES; seat++)); do
    if running "$seat" >/dev/null; then
      current "$seat" && continue
      stop_nodes TERM "$seat"
    fi
    answers "$seat" && die "a node of another deployment answers on port $((BASE_PORT + seat)): stop it, or choose other ports with CICADA_BASE_PORT"
    start_node "$seat"
    started+=("$seat")
  done
  await "${started[@]}"
  say "$NODES nodes answer on ports $BASE_PORT to $((BASE_PORT + NODES - 1)); ${#started[@]} of them started now; logs in $PEERS"
}

# exchange_of FLAG…: makes sure that the exchange is there.
exchange_of() {
  "$BIN/deploy-exchange" --url "$URL" --network "$NETWORK" --bundles "$BUNDLES" --addresses "$ADDRESSES" "$@"
}

fill() {
  [ -f "$NETWORK" ] || die "nothing is deployed yet: run scripts/deploy_paxos.sh first"
  # So that every command of the seed's example works: it sells tokens that it does not buy.
  exchange_of --fill --hold openai=500
}

stop() {
  # shellcheck disable=SC2046
  stop_nodes TERM $(seq 0 $((NODES - 1)))
  say "stopped $STOPPED nodes"
  [ -f "$CHAIN_IS_OURS" ] || return 0
  "$CICADA_ROOT/scripts/node" stop --url "$URL"
  rm -f "$CHAIN_IS_OURS"
}

status() {
  local seat pid state missing=0
  "$CICADA_ROOT/scripts/node" status --url "$URL" || true
  for ((seat = 0; seat < NODES; seat++)); do
    pid="$(running "$seat")" || pid="-"
    answers "$seat" && state="answers" || { state="does not answer"; missing=$((missing + 1)); }
    printf 'node %-3d http://127.0.0.1:%d  process %-8s %s\n' "$seat" $((BASE_PORT + seat)) "$pid" "$state"
  done
  [ "$missing" -eq 0 ] || exit 3
}

kill_node() {
  stop_nodes KILL "$1"
  [ "$STOPPED" -eq 1 ] || die "node $1 does not run"
  say "killed node $1"
}

restart_node() {
  [ -f "$NETWORK" ] || die "nothing is deployed yet: run scripts/deploy_paxos.sh first"
  stop_nodes TERM "$1"
  start_node "$1"
  await "$1"
  say "node $1 answers on port $((BASE_PORT + $1))"
}

lie_node() {
  [ -f "$NETWORK" ] || die "nothing is deployed yet: run scripts/deploy_paxos.sh first"
  [[ " equivocate forge replay silent all " == *" ${2:-} "* ]] || die "name a lie: equivocate, forge, replay, silent or all"
  stop_nodes TERM "$1"
  start_node "$1" "$2"
  await "$1"
  say "node $1 lies: $2"
}

# Steps from the leader's seat, so that honest leaders stand between.
LIES=(0:equivocate 1:equivocate 3:forge 5:forge 7:replay 9:silent 11:silent)

liars() {
  local leader entry may_lie=$(((NODES - 1) / 3))
  leader="$(curl --silent --fail --max-time 5 "http://127.0.0.1:$BASE_PORT/paxos/status" | sed -n 's/.*"leader":\([0-9]*\).*/\1/p')"
  leader="${leader:-0}"
  for entry in "${LIES[@]:0:$may_lie}"; do
    lie_node $(((leader + ${entry%%:*}) % NODES)) "${entry#*:}"
  done
}

# seat TEXT: checks that it is a seat.
seat() { [[ "${1:-}" =~ ^[0-9]+$ ]] && [ "$1" -lt "$NODES" ] || die "name a seat from 0 to $((NODES - 1)); see scripts/deploy_paxos.sh --help"; }

have curl || die "curl is needed to ask the nodes: apt-get install curl"
case "${1:-start}" in
  -h | --help) show_help "${BASH_SOURCE[0]}" ;;
  build | start | fill | stop | status | liars) "${1:-start}" ;;
  kill | restart | lie) seat "${2:-}" && "${1}_node" "$2" "${3:-}" ;;
  *) die "unknown command '$1'; see scripts/deploy_paxos.sh --help" ;;
esac
