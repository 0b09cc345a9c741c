#!/usr/bin/env bash
# How much of src/ShmIpc the tests run, line by line, in all processes that they start, also in those that are killed.
#
#   ./coverage.sh                     every test; takes some minutes more than ./test.sh
#   ./coverage.sh --filter PATTERN    only tests whose full name contains PATTERN (* stands for anything)
#
# Writes TestResults/failure-model/coverage.md: each folder's percentage, and every line that was not run, with its reason from
# tests/ShmIpc.Coverage/justified.txt. Fails when a test fails, and below 90 %.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

least=90 limit_seconds=1200 status=0
filter=()
case ${1:-} in
  --filter) filter=(-method "*${2:?"--filter needs a pattern"}*") least=0 ;;
  '') ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac

results=$PWD/TestResults/coverage
fragment=$PWD/TestResults/failure-model/coverage.md
tool=tests/ShmIpc.Coverage
library=src/ShmIpc/bin/Coverage/net10.0/ShmIpc
rm -rf -- "$results"
mkdir -p -- "$results" "$(dirname -- "$fragment")"

echo "Building"
projects=(tests/ShmIpc.Tests tests/ShmIpc.ProcessTests tests/ShmIpc.Hosting.Tests)
dotnet build "$tool" -c Release -v quiet -nodeReuse:false > "$results/build.log" || { cat "$results/build.log"; exit 1; }
rm -f -- "$library".{dll,pdb} src/ShmIpc/obj/Coverage/net10.0/ShmIpc.{dll,pdb} # what an earlier run has rewritten
for project in "${projects[@]}"; do
  dotnet build "$project" -c Coverage -p:Optimize=true -p:CustomAfterMicrosoftCommonTargets="$PWD/$tool/Coverage.targets" -v quiet \
    -nodeReuse:false > "$results/build.log" || { cat "$results/build.log"; exit 1; }
done

program=$tool/bin/Release/net10.0/ShmIpc.Coverage
"$program" instrument "$library.dll" "$PWD/src/ShmIpc/" "$results/points" "$results/hits"
chmod 666 "$results/hits" # some tests start children as another user
export SHMIPC_COVERAGE=$results/hits
for project in "${projects[@]}"; do
  name=$(basename -- "$project")
  cp -- "$library".{dll,pdb} "$project/bin/Coverage/net10.0/"
  echo "Running $name"
  timeout --kill-after=10 "$limit_seconds" "$project/bin/Coverage/net10.0/$name" -noColor -noLogo -reporter quiet "${filter[@]}" || status=1
done

"$program" report "$results/points" "$results/hits" "$tool/justified.txt" "$fragment" "$least" || status=1
((status == 0)) || echo "coverage: a test failed, or less than $least % was run" >&2
exit "$status"
