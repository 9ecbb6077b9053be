#!/usr/bin/env bash
# Puts the contracts on a chain and runs the 23 Paxos nodes: see docs/localnet.md.
#
# usage: scripts/deploy_paxos.sh [COMMAND] [OPTION …] [--help]
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
# The chain that is started is the embedded one; with --node a Substrate node. Options are those of
# the program localnet, which does it all.
#
# environment:
#   CICADA_NETWORK      the network file (default network.toml in CICADA_STATE)
#   CICADA_STATE        network file, keys, logs, the nodes' disks (default .demo in the checkout)
#   CICADA_URL          address of a node of the chain (default ws://127.0.0.1:9944); if none
#                       answers there, one is started
#   CICADA_BASE_PORT    node i listens on this port + i, on loopback (default 7100)
#   CICADA_NODES        number of nodes (default 23)
#   CICADA_FAULT_MODEL  byzantine (default: 7 of 23 nodes may lie) or crash (11 of 23 may stop)
#   CICADA_DISTANCES    least time between two reports of a feed, in ms, such as leaderboard=500 or all=0
#                       (default leaderboard 10000, nav 10000, basket 300000, rewards 60000)
#   CICADA_TURN_DELAY_MS, CICADA_DUE_AFTER_MS
#                       how long seats wait for each other with a NAV, a basket or an award (docs/consensus.md)
#   CICADA_SAME_MS      how long after the last a leaderboard comes that says the same (default 240000)
#   CICADA_RESULTS      evaluation results of the nodes (default examples/results.jsonl)
#   CICADA_BUILT        yes: start does not look whether something has to be built
#
# The contracts' addresses for JavaScript are written to frontend-abi/addresses/local.json; with
# CICADA_STATE, to addresses.json in it; with --addresses FILE, there.
#
# examples:
#   ./deploy_paxos.sh && cargo run --release --bin paxos-market
#   scripts/deploy_paxos.sh kill 5 && scripts/deploy_paxos.sh restart 5
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# build: what start needs. What lies is built when somebody is to lie.
build() {
  "$CICADA_ROOT/scripts/build-contracts" >&2
  (cd "$CICADA_ROOT" && build_programs "the workers" --bin localnet \
    --bin deploy --bin paxos-node --bin paxos-market)
}

build_liar() {
  [ "${CICADA_BUILT:-no}" = yes ] || (cd "$CICADA_ROOT" && build_programs "the liar" --bin paxos-liar)
}

case "${1:-start}" in
  -h | --help) show_help "${BASH_SOURCE[0]}"; exit 0 ;;
  -*) COMMAND=start ;;
  *) COMMAND="${1:-start}"; shift $(($# > 0)) ;;
esac
case "$COMMAND" in
  build) build ;;
  start)
    [ "${CICADA_BUILT:-no}" = yes ] || build
    localnet up "$@"
    ;;
  stop) localnet down "$@" ;;
  status) localnet status chain committee "$@" ;;
  lie | liars) build_liar && localnet "$COMMAND" "$@" ;;
  fill | kill | restart) localnet "$COMMAND" "$@" ;;
  *) die "unknown command '$COMMAND'; see scripts/deploy_paxos.sh --help" ;;
esac
