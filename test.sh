#!/usr/bin/env bash
# Builds everything (Release) and runs every test: the projects under tests/ that reference xunit.v3, one after another.
#
#   ./test.sh                     every test, without the long campaigns
#   ./test.sh --long              the long campaigns too (sets SHMIPC_LONG=1)
#   ./test.sh --filter PATTERN    only tests whose full name contains PATTERN (* stands for anything)
#
# The last line is "N passed, N failed" or "N passed, N failed, N skipped", counted from the result files in TestResults/. A runner that
# crashes, hangs or leaves no result file counts as a failed test, and so does anything the tests leave in /dev/shm.
# Needs the .NET 10 SDK and nothing else.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

filter=
limit_seconds=900
while (($# > 0)); do
  case $1 in
    --long) export SHMIPC_LONG=1; limit_seconds=7200 ;;
    --filter) filter=${2:?"--filter needs a pattern"}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
command -v dotnet > /dev/null || { echo "test: the .NET SDK (dotnet) is not in the PATH" >&2; exit 1; }
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

passed=0 failed=0 skipped=0 runner=
broken= # a line for each failed test
results=$PWD/TestResults

fail() { printf 'FAILED: %s\n' "$*"; failed=$((failed + 1)); }

# Prints what failed, the counts, and ends.
finish() {
  printf '%s' "$broken"
  local counts="$passed passed, $failed failed"
  ((skipped == 0)) || counts+=", $skipped skipped"
  printf '%s\n' "$counts"
  exit $((failed > 0))
}

stop() {
  trap - INT TERM
  [[ -z $runner ]] || kill -TERM "$runner" 2> /dev/null || true
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

build() {
  local log=$results/build.log
  echo "Building"
  dotnet build ShmIpc.sln -c Release -v quiet -nodeReuse:false > "$log" 2>&1 || { cat "$log"; fail "ShmIpc.sln does not build"; finish; }
}

# An attribute of the <assembly> element of a result file: attribute FILE NAME
attribute() { sed -n 's/.*<assembly \([^>]*\)>.*/ \1/p;' "$1" | sed -n "1s/.* $2=\"\([0-9]*\)\".*/\1/p"; }

# What the tests of a result file with a result say: listed WORD RESULT FILE prints a line for each, "WORD: its name: why".
listed() {
  tr '\n' ' ' < "$3" | sed 's/<test /\n&/g' | grep "^<test [^>]*result=\"$2\"" | sed -E \
    -e "s/^<test [^>]*name=\"([^\"]*)\"[^>]*>/$1: \1: /" -e 's/<stack-trace>.*//' -e 's/<\/test>.*//' -e 's/<!\[CDATA\[|\]\]>//g' -e 's/<[^>]*>//g' \
    -e "s/&lt;/</g; s/&gt;/>/g; s/&quot;/\"/g; s/&apos;/'/g; s/&amp;/\&/g" || true
}

run() {
  local name=$1 status=0 start=$SECONDS
  local program=tests/$name/bin/Release/net10.0/$name file=$results/$name.xml arguments=(-noColor -noLogo -reporter quiet)
  [[ -z $filter ]] || arguments+=(-method "*$filter*")
  echo "Running $name"
  [[ -x $program ]] || { fail "$name was not built; is it in ShmIpc.sln?"; return; }

  # In the background, so that an interrupt is not held up; in a process group of its own, so that what it starts ends with it.
  timeout --kill-after=10 "$limit_seconds" "$program" "${arguments[@]}" -result-xml "$file" &
  runner=$!
  wait "$runner" || status=$?
  runner=

  local total bad
  total=$([[ ! -s $file ]] || attribute "$file" total)
  if [[ -z $total ]]; then
    ((status != 124 && status != 137)) || echo "$name did not end within $limit_seconds seconds"
    fail "$name left no results (exit code $status)"
    return
  fi

  bad=$(($(attribute "$file" failed) + $(attribute "$file" errors)))
  passed=$((passed + $(attribute "$file" passed)))
  failed=$((failed + bad))
  skipped=$((skipped + $(attribute "$file" skipped)))
  listed skipped Skip "$file"
  broken+=$(listed FAILED Fail "$file")
  broken=${broken:+${broken%$'\n'}$'\n'}
  echo "$name: $(attribute "$file" passed) of $total passed in $((SECONDS - start)) s"
  ((total > 0)) || [[ -n $filter ]] || fail "$name has no tests"
  ((status == 0 || bad > 0)) || fail "$name ended with exit code $status although no test failed"
}

# What is in /dev/shm now: one path a line, sorted.
shared_memory() { [[ ! -d /dev/shm ]] || find /dev/shm -mindepth 1 -maxdepth 1 | sort; }

rm -rf -- "$results"
mkdir -p -- "$results"
build
before=$(shared_memory)
for project in tests/*/*.csproj; do
  name=$(basename -- "$project" .csproj)
  grep -q 'Include="xunit.v3"' "$project" || continue
  run "$name"
done
((passed + failed + skipped > 0)) || fail "no test was run"
while read -r path; do
  # A test's directory carries its runner's process id in its name: one whose process lives belongs to another run.
  [[ $path =~ -([0-9]+)- && -d /proc/${BASH_REMATCH[1]} ]] || fail "left in /dev/shm: $path"
done < <(comm -13 <(echo "$before") <(shared_memory) | grep .)
finish
