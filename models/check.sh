#!/usr/bin/env bash
# Checks the models in this directory with spin, exhaustively, and then that each fails when one step of the algorithm is left out.
#
#   models/check.sh          every model in its small size, and all mistakes: 80 s of processor time on two cores, 1 GB
#   models/check.sh --all    the large sizes too, one at a time: some minutes more, 2 GB
#
# docs/models.md says what each model is about. Needs spin (the package of that name) and a C compiler. Without spin it says so and
# succeeds: the models are no part of the build.
set -euo pipefail
models=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
command -v spin > /dev/null || { echo "check: spin is not installed, nothing was checked"; exit 0; }
compiler=$(command -v cc || command -v gcc) || { echo "check: no C compiler" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
table=22 limit=1000 jobs=2   # hash table (2^table entries), megabytes, at once

# run MODEL EXPECTED [DEFINE...]: EXPECTED is "holds" or "fails".
run() {
  local model=$1 expected=$2 found=fails states define defines=() directory
  shift 2
  for define in "$@"; do defines+=("-D$define"); done
  directory=$(mktemp -d -p "$work")
  cd -- "$directory"
  if ! spin -a "${defines[@]}" "$models/$model.pml" > log 2>&1 \
    || ! "$compiler" -O1 -w -DSAFETY -DNOFAIR -DCOLLAPSE -DVECTORSZ=512 "-DMEMLIM=$limit" -o pan pan.c >> log 2>&1 \
    || ! ./pan -m100000 "-w$table" >> log 2>&1; then found=broken
  # A search that was cut short says nothing.
  elif grep -q "max search depth too small\|out of memory\|MEMLIM bound\|Search not completed" log && grep -q "errors: 0" log; then found=cut
  elif grep -q "errors: 0" log; then found=holds
  fi
  states=$(awk '/states, stored/ { print $1 }' log)
  printf '%-10s %-32s %-6s %9s states\n' "$model" "${*:-as it is}" "$found" "$states"
  [[ $found == "$expected" ]] && return
  printf 'check: %s %s: expected that it %s\n' "$model" "$*" "$expected" >&2
  [[ $found == fails ]] || tail -n 5 log >&2
  touch "$work/failed"
}

verify() {
  while (($(jobs -rp | wc -l) >= jobs)); do wait -n || true; done
  run "$@" &
}

# fail MODEL "COMMON DEFINES" MISTAKE...
fail() {
  local model=$1 common=$2 mistake
  shift 2
  # shellcheck disable=SC2086 # several defines
  for mistake in "$@"; do verify "$model" fails $common $mistake; done
}

verify lane holds N=4
fail lane N=4 NO_TERMINATOR LATE_TERMINATOR EAGER_BATCH EARLY_RELEASE EARLY_LIMIT
verify join holds
fail join "" NO_REREAD NO_VERSION
verify retire holds
fail retire "" FREE_FIRST NO_REREAD NO_VERSION ANY_STATE STATE_LAST
verify group holds
fail group "" NO_VERSION INTENTS_FIRST CLAIMANTS_FIRST FLOOR_FILTER NO_RAISE MOVED_INTENT NO_RECHECK RECHECK_FIRST HEIR_CLEARS
verify takeover holds
fail takeover "" EARLY_CURSOR NO_CAS LATE_HANDED LATE_LEAVE
verify names holds
fail names "" NO_LOCK
fail names ENTRIES=1 SCAN_FIRST NO_RECHECK NO_NAME NO_FENCE LATE_PLACE EARLY_DURABLE NO_BIT
fail names "ENTRIES=1 MAXDEATHS=2" NO_COMPLETE
verify park holds
verify park holds UNREGISTERED
fail park "" NO_MEMBARRIER NO_RECHECK LATE_TICKET RING_FIRST NO_BOUND
verify slots holds
fail slots "" CAS_FIRST PRESENT_EPOCH PROBE_BY_LOCK CLAIMS_FIRST CLEAR_LAST NO_REREAD STAYS_DEAD
verify value holds
verify value holds BUFFERS=4 N=7 MAXDEATHS=2
fail value "" LATE_RENAME NO_RECHECK EARLY_VERSION RESTART BUFFERS=1
verify completion holds
fail completion "" NO_SECOND_LOOK COUNTER_FIRST DEATH_COMPLETES NO_JOIN_COUNT
verify gate holds
fail gate "" NO_FENCE NO_WAIT NO_RECHECK NO_LOOK BUSY_FIRST REBIAS NO_DISPOSE_FENCE
wait
if [[ ${1:-} == --all ]]; then
  table=26 limit=4000 jobs=1
  verify lane holds N=5
  verify group holds NO_JOIN_RAISE
  verify group holds HEIR_CLEARS NEWCOMER_WAITS
  verify group holds RECHECK_FIRST NEWCOMER_WAITS
  verify group holds N1=1
  verify group holds MAXDEATHS=2
  verify group holds N=3 MAXDEATHS=2
  verify names holds MAXDEATHS=2
  verify park holds SEPARATE
  verify gate holds THREADS=3 ENTRIES=1
  verify gate holds ENTRIES=3
  wait
fi
[[ ! -e $work/failed ]]
