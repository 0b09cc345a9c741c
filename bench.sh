#!/usr/bin/env bash
# Builds everything in Release and runs the benchmarks in one go: ./bench.sh (full) or ./bench.sh --quick (under three minutes).
# Further arguments go to the benchmark program (--help lists them). Results: artifacts/bench/results.json and results.md.
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

exec dotnet "$project/bin/Release/net10.0/ShmIpc.Benchmarks.dll" "${native[@]}" --output "$out" "$@"
