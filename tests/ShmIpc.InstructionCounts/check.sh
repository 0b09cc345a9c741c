#!/usr/bin/env bash
# Counts the instructions that publishing and reading a message take, and compares them with recorded.txt: a guard for speed that does not
# depend on how busy the machine is. Fails when a path takes 15 % (and 4 instructions) more than recorded.
#
#   tests/ShmIpc.InstructionCounts/check.sh              compares
#   tests/ShmIpc.InstructionCounts/check.sh --record     records what it counts
#   tests/ShmIpc.InstructionCounts/check.sh --keep DIR   compares, and leaves the profiles in DIR: callgrind_annotate DIR/out.N
#
# Needs valgrind, an x64 processor and what native code needs to be linked. Without the first two it says so and succeeds.
set -euo pipefail
limit_seconds=900

skip() { printf 'instruction counts: skipped: %s\n' "$*"; exit 0; }

record=() keep=
while (($# > 0)); do
  case $1 in
    --record) record=(--record) ;;
    --keep) keep=$(realpath -m -- "${2:?"--keep needs a directory"}"); shift ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
[[ $(uname -m) == x86_64 ]] || skip "the recorded figures are those of x64, and this is $(uname -m)"
command -v valgrind > /dev/null || skip "valgrind is not installed"

work=$(mktemp -d)
root=$(mktemp -d -p /dev/shm shmipc-counts-XXXXXX)
trap 'rm -rf -- "$work" "$root"' EXIT
trap 'exit 130' INT TERM
profiles=${keep:-$work/profiles}
mkdir -p -- "$profiles"
valgrind --tool=none --vgdb=no true > "$work/log" 2>&1 || skip "valgrind does not run here: $(tail -n 1 "$work/log")"

dotnet publish ShmIpc.InstructionCounts.csproj -c Release --use-current-runtime -v quiet -o "$work/program"
program=$work/program/ShmIpc.InstructionCounts

# The runtime would reserve 256 GiB of addresses, which valgrind need not grant.
rm -f -- "$profiles"/out "$profiles"/out.*
DOTNET_GCHeapHardLimit=0x8000000 timeout "$limit_seconds" valgrind --tool=callgrind --vgdb=no --callgrind-out-file="$profiles/out" \
  --toggle-collect='*Counted__Run' --dump-after='*Counted__End' "$program" measure "$root" > "$profiles/names" 2> "$work/log" \
  || { cat "$work/log" >&2; exit 1; }
"$program" compare "$profiles" recorded.txt "${record[@]}"
