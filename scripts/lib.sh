# shellcheck shell=bash
# Shared helpers of the scripts in this folder. Source it; it runs nothing by itself.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CICADA_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
CICADA_CACHE="${CICADA_CACHE:-$HOME/.cache/cicada71}"
export CICADA_ROOT CICADA_CACHE

# Every variable of versions.env becomes visible here.
# shellcheck source=scripts/versions.env
. "$CICADA_ROOT/scripts/versions.env"

# say TEXT…: one line of progress.
say() { printf '==> %s\n' "$*" >&2; }
# warn TEXT…: something is not as it should be, and what to do about it.
warn() { printf 'warning: %s\n' "$*" >&2; }
# die TEXT…: the same, and stop.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
# have COMMAND: is it on the PATH?
have() { command -v "$1" >/dev/null 2>&1; }

# show_help FILE: prints the comment block at the top of a script as its help.
show_help() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p}}' "$1"; }

# programs: the folder of the workers' programs. CICADA_PROFILE is the profile they are built with:
# release, or dev in tests, which have compiled most of it already.
programs() {
  local folder="${CICADA_PROFILE:-release}"
  [ "$folder" != dev ] || folder=debug
  printf '%s/%s\n' "${CARGO_TARGET_DIR:-$CICADA_ROOT/target}" "$folder"
}

# build_programs WHAT ARGUMENT…: builds some of them. By --bin, not by -p: then all builds, and
# 'cargo run --bin …', select the same features and find what is compiled.
build_programs() {
  with_progress "building $1" cargo build --profile "${CICADA_PROFILE:-release}" --locked "${@:2}"
}

# localnet ARGUMENT…: the program that starts and looks after everything; it is built if need be. For it
# and its programs, CICADA_PROGRAMS is their folder.
localnet() {
  CICADA_PROGRAMS="$(programs)"
  export CICADA_PROGRAMS
  [ -x "$CICADA_PROGRAMS/localnet" ] || (cd "$CICADA_ROOT" && build_programs "the launcher" --bin localnet)
  "$CICADA_PROGRAMS/localnet" "$@"
}

# hash_key FILE…: the first 16 hex digits of the SHA-256 of the files' contents, for cache folders.
hash_key() { cat -- "$@" | sha256sum | cut -c1-16; }

# wasm_opt_folder: where scripts/setup puts the optimiser, one folder for each lock file.
wasm_opt_folder() { printf '%s/wasm-opt/%s\n' "$CICADA_CACHE" "$(hash_key "$CICADA_ROOT/scripts/wasm-opt/package-lock.json")"; }

# version_at_least HAVE WANT: compares dotted versions.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

# runtime_target: where the tests and the build tool are compiled, outside the checkout. Keyed by the
# versions of what is expensive to compile, not by the lock file: cargo itself rebuilds what a changed
# lock file touches, and a new contract among the tests must not cost a build of everything.
runtime_target() { printf '%s/target/runtime-tests-%s-%s\n' "$CICADA_CACHE" "$INK_SANDBOX_VERSION" "$CONTRACT_BUILD_VERSION"; }

# node_target: where the two chains are compiled; keyed as runtime_target is, for the same reason.
node_target() { printf '%s/target/node-%s\n' "$CICADA_CACHE" "$POLKADOT_SDK_RELEASE"; }

# with_clippy COMMAND…: runs 'cargo build' or 'cargo test' with clippy as the compiler of the workspace's
# own crates; a warning is an error. 'cargo clippy' would first check every dependency once more.
with_clippy() { RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ "$@"; }

# progress LOG: how far a command is: in crates if it is cargo's, else its last line.
progress() {
  local lines crates
  lines="$(tail -c 4000 "$1" | tr '\r' '\n' | sed 's/ *$//; /^$/d')"
  crates="$(sed -n 's|.*\] \([0-9]*\)/\([0-9]*\): \(.*\)|\1 of \2 crates: \3|p' <<<"$lines" | tail -n1)"
  printf '%.100s\n' "${crates:-$(tail -n1 <<<"$lines")}"
}

# with_progress [--may-fail] LABEL COMMAND…: runs a long, chatty command; its output goes to a log, a line
# with the time spent and how far it is appears every 20 seconds, and the end of the log is shown when it
# fails (unless --may-fail: the caller has another way).
with_progress() {
  local label log pid may_fail=no status=0 start=$SECONDS next=20
  if [ "$1" = --may-fail ]; then
    may_fail=yes
    shift
  fi
  label="$1"
  shift
  mkdir -p "$CICADA_CACHE/logs"
  log="$CICADA_CACHE/logs/$(printf '%s' "$label" | tr -cs 'A-Za-z0-9.' '-').log"
  say "$label"
  CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=100 "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - start)) -ge "$next" ]; then
      say "  … $((SECONDS - start)) s: $(progress "$log")"
      next=$((next + 20))
    fi
  done
  wait "$pid" || status=$?
  if [ "$status" -ne 0 ] && [ "$may_fail" = no ]; then
    warn "$label: failed with status $status; the end of $log:"
    tr '\r' '\n' <"$log" | grep -v '^ *Building \[' | sed '/^ *$/d' | tail -n 15 >&2
  fi
  return "$status"
}

# The crate wasm-opt of this repository starts this program.
CICADA_WASM_OPT="${CICADA_WASM_OPT:-$(wasm_opt_folder)/node_modules/.bin/wasm-opt}"
export CICADA_WASM_OPT
