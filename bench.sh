#!/usr/bin/env bash
# Builds everything in Release and runs the benchmarks in one go.
#
#   ./bench.sh --quick      what has a target, in under three minutes, the build included
#   ./bench.sh              everything; writes docs/benchmarks.md and its plots, too
#   ./bench.sh --only 64    the scenarios whose name contains "64"; --list prints the names, --help the other options
#
# The last thing printed is the table: measure, target, got, ratio, met. Left in artifacts/bench/: results.json (every observation), results.md,
# plots/ and, by a full run or with --sections, sections/, which docs/update.sh puts into docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# ./bench.sh --micro [FILTER]: the parts of a message in one process, with BenchmarkDotNet. Further arguments are that program's.
if [ "${1:-}" = --micro ]; then
  shift
  filter=*
  if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then filter="*$1*"; shift; fi
  exec dotnet run -c Release --project tests/ShmIpc.MicroBenchmarks -- --artifacts artifacts/bench/micro --filter "$filter" "$@"
fi

project=tests/ShmIpc.Benchmarks
out=artifacts/bench
mkdir -p "$out"

dotnet build --nologo -v quiet -c Release "$project"

native=()
compiler=$(command -v "${CC:-gcc}" || command -v cc || true)
if [ -n "$compiler" ]; then
  for program in pingpong lane; do
    "$compiler" -O2 -Wall -Wextra -o "$out/$program" "$project/native/$program.c"
  done
  native=(--native "$PWD/$out")
else
  echo "no C compiler: the C baselines will not be measured" >&2
fi

status=0
dotnet "$project/bin/Release/net10.0/ShmIpc.Benchmarks.dll" "${native[@]}" --spent "$SECONDS" "$@" || status=$?
if (($# == 0 && status == 0)); then
  docs/update.sh benchmarks > /dev/null
else
  echo "docs/benchmarks.md was not updated: that is for a full run in which nothing failed (docs/update.sh benchmarks does it by hand)" >&2
fi
exit "$status"
