#!/usr/bin/env bash
# Shows ShmIpc at work: builds the example producer and consumer, lets them exchange live telemetry of this machine, then a real file's
# lines, at full speed and at a steady pace, as separate processes. Ends with 0 only if every line arrived once and in order.
#
#   ./demo.sh            five million lines for each replay at full speed
#   ./demo.sh 1000000    one million
#
# Needs the .NET 10 SDK and nothing else, no root, and leaves nothing behind: the channels live in a directory of their own.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

lines=${1:-5000000}
[[ $lines =~ ^[1-9][0-9]{0,11}$ ]] || { echo "usage: $0 [LINES]" >&2; exit 1; }
command -v dotnet > /dev/null || { echo "demo: the .NET SDK (dotnet) is not in the PATH" >&2; exit 1; }
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

work=$(mktemp -d)
root=$(mktemp -d /dev/shm/shmipc-demo.XXXXXX 2> /dev/null || mktemp -d)
children=()

clean_up() {
  trap - EXIT INT TERM
  local pid
  for pid in "${children[@]}"; do kill -TERM "$pid" 2> /dev/null || true; done
  for pid in "${children[@]}"; do wait "$pid" 2> /dev/null || true; done
  rm -rf -- "$work" "$root"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'demo: FAILED: %s\n' "$*" >&2; exit 1; }

build() {
  if ! dotnet build "examples/$1" -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false > "$work/build.log" 2>&1; then
    cat "$work/build.log" >&2
    fail "examples/$1 does not build"
  fi
}

# Starts one of the two programs in the background: start NAME OUTPUT ARGUMENTS... ; $pid is its process.
# Nothing here takes minutes: a program that hangs is ended, and the demo fails.
start() {
  local name=$1 output=$2
  shift 2
  timeout --foreground -k 60 600 dotnet "examples/$name/bin/Release/net10.0/$name.dll" "$@" --root "$root" > "$output" 2>&1 &
  pid=$!
  children+=("$pid")
}

# Waits for a process that was started: $status is its exit code.
finish() {
  status=0
  wait "$1" || status=$?
  local pid left=()
  for pid in "${children[@]}"; do [[ $pid == "$1" ]] || left+=("$pid"); done
  children=("${left[@]}")
}

# The value of a key in one of the flat parts of the programs' JSON.
value() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$work/$1.json" | head -n 1; }

# A real file with many lines: the largest log that can be read, or else a list of the files on this machine.
find_file() {
  file=$(find /var/log -type f -name '*.log' -readable -size +64k -printf '%s %p\n' 2> /dev/null \
    | sort -rn | head -n 1 | cut -d ' ' -f 2-) || true
  if [[ -z $file ]]; then
    file=$work/files.txt
    find /usr > "$file" 2> /dev/null || true
  fi
  [[ -s $file ]] || fail "found no file to replay"
}

rows=()

# replay TITLE FIRST PRODUCER-ARGUMENTS... : FIRST says who is started first.
replay() {
  local title=$1 first=$2 key=${#rows[@]} producer consumer
  shift 2
  local producer_arguments=(--channel "replay-$key" --replay "$file" --json "$work/sent$key.json" --wait-for-consumer 2m "$@")
  local consumer_arguments=(--channel "replay-$key" --replay --json "$work/received$key.json" --timeout 2m)
  if [[ $first == producer ]]; then
    start producer "$work/producer.log" "${producer_arguments[@]}"; producer=$pid
    sleep 1
    start consumer "$work/consumer.log" "${consumer_arguments[@]}"; consumer=$pid
  else
    start consumer "$work/consumer.log" "${consumer_arguments[@]}"; consumer=$pid
    sleep 1
    start producer "$work/producer.log" "${producer_arguments[@]}"; producer=$pid
  fi
  finish "$producer"; local producer_status=$status
  finish "$consumer"; local consumer_status=$status
  sed 's/^/  producer | /' "$work/producer.log"
  sed 's/^/  consumer | /' "$work/consumer.log"
  [[ $producer_status == 0 ]] || fail "$title: the producer ended with $producer_status"
  [[ $consumer_status == 0 ]] || fail "$title: the consumer ended with $consumer_status"

  local sent received
  sent=$(value "sent$key" lines)/$(value "sent$key" hash)
  received=$(value "received$key" lines)/$(value "received$key" hash)
  [[ -n ${sent%%/*} && $sent == "$received" ]] || fail "$title: sent $sent, received $received (lines/hash)"
  rows+=("$(printf '%-24s %10s %10.0f %10.0f %10.1f %10.1f %10.1f %5s %6s  %s' \
    "$title" "${received%%/*}" "$(value "received$key" linesPerSecond)" \
    "$(value "received$key" bytesPerSecond)" "$(value "received$key" p50)" "$(value "received$key" p99)" "$(value "received$key" p999)" \
    "$(value "received$key" lost)" "$(value "received$key" outOfOrder)" "${received##*/}")")
}

say "Building the examples (Release)"
build producer
build consumer

say "Live telemetry of this machine, every 250 ms"
start consumer "$work/consumer.log" --plain --count 16 --timeout 2m --json "$work/live.json"; consumer=$pid
start producer "$work/producer.log" --interval 250ms; producer=$pid
finish "$consumer"; consumer_status=$status
kill -TERM "$producer"
finish "$producer"
sed 's/^/  producer | /' "$work/producer.log"
sed -e '5,14d' -e '4s/$/\n.../' -e 's/^/  consumer | /' "$work/consumer.log"
[[ $consumer_status == 0 ]] || fail "live telemetry: the consumer ended with $consumer_status"
[[ $status == 0 ]] || fail "live telemetry: the producer ended with $status"
[[ $(value live lost) == 0 ]] || fail "live telemetry: $(value live lost) samples were lost"

find_file
say "Replay of $file ($(wc -l < "$file") lines, over and over), consumer first"
replay "full speed" consumer --lines "$lines"
say "The same again, producer first"
replay "full speed, other order" producer --lines "$lines"
say "The same at 5000 lines a second for three seconds"
replay "5000 lines/s" consumer --lines 15000 --rate 5000

say "Result"
printf '%-24s %10s %10s %10s %10s %10s %10s %5s %6s  %s\n' "" lines lines/s bytes/s "p50 us" "p99 us" "p99.9 us" lost order hash
printf '%s\n' "${rows[@]}"
printf '%-24s %10s %10s %10s %10.1f %10.1f %10.1f %5s\n' "live telemetry" "$(value live samples)" - - \
  "$(value live p50)" "$(value live p99)" "$(value live p999)" "$(value live lost)"
cat <<'END'
Latency is from before the producer's write to after the consumer's decoding. At full speed the channel is full, and that is the time
a line waits its turn; the other rows are the latency without a queue. Telemetry is so rare that each sample wakes both programs from
sleep, and its first samples also pay for the compiling of code that runs for the first time.
Every line arrived once and in order.
END
