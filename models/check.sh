#!/usr/bin/env bash
# Checks the models in this directory with spin, exhaustively, and then that each fails when one step of the algorithm is left out.
#
#   models/check.sh          lane.pml, join.pml and value.pml: half a minute, 2 GB
#   models/check.sh --all    group.pml too: three minutes more, 4 GB
#
# Needs spin (the package of that name) and a C compiler. Without spin it says so and succeeds: the models are no part of the build.
set -euo pipefail
models=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
command -v spin > /dev/null || { echo "check: spin is not installed, nothing was checked"; exit 0; }
compiler=$(command -v cc || command -v gcc) || { echo "check: no C compiler" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0

# verify MODEL EXPECTED [DEFINE...]: EXPECTED is "holds" or "fails".
verify() {
  local model=$1 expected=$2 found states define defines=() memory=()
  shift 2
  for define in "$@"; do defines+=("-D$define"); done
  (
    cd -- "$work" && rm -f pan*
    spin -a "${defines[@]}" "$models/$model.pml" > spin.log 2>&1 || { cat spin.log >&2; exit 1; }
    [[ $model != group ]] || memory=(-DCOLLAPSE)
    "$compiler" -O2 -w -DSAFETY -DNOFAIR -DVECTORSZ=512 "${memory[@]}" -o pan pan.c
    ./pan -m3000000 -w25 > pan.log
  )
  # "max search depth" would mean that the search was cut short.
  if grep -q "max search depth too small\|out of memory" "$work/pan.log"; then found=cut
  elif grep -q "errors: 0" "$work/pan.log"; then found=holds
  else found=fails
  fi
  states=$(awk '/states, stored/ { print $1 }' "$work/pan.log")
  printf '%-6s %-18s %-6s %s states\n' "$model" "${*:-as it is}" "$found" "$states"
  [[ $found == "$expected" ]] || { echo "check: expected that it $expected" >&2; failed=1; }
}

verify lane holds
for mistake in NO_TERMINATOR LATE_TERMINATOR EAGER_BATCH EARLY_RELEASE EARLY_LIMIT; do verify lane fails "$mistake"; done
verify join holds
for mistake in NO_REREAD NO_VERSION; do verify join fails "$mistake"; done
verify value holds
verify value holds BUFFERS=4 N=7 MAXDEATHS=2
for mistake in LATE_RENAME NO_RECHECK EARLY_VERSION RESTART BUFFERS=1; do verify value fails "$mistake"; done
if [[ ${1:-} == --all ]]; then
  verify group holds
  for mistake in NO_VERSION INTENTS_FIRST; do verify group fails "$mistake"; done
fi
exit "$failed"
