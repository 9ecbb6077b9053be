#!/usr/bin/env bash
# Puts the contracts on a chain and runs the 23 Paxos nodes: see scripts/deploy_paxos.sh --help.
exec "$(dirname "${BASH_SOURCE[0]}")/scripts/deploy_paxos.sh" "$@"
