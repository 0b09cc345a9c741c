#!/usr/bin/env bash
# Puts what the last run found out into the documents: each file SECTION.md of a run between the lines <!-- begin SECTION --> and
# <!-- end SECTION --> of its document. Sections that the run did not write stay as they are.
#
#   ./test.sh --long && docs/update.sh failure-model     # TestResults/failure-model/ into docs/failure-model.md
#   ./bench.sh && docs/update.sh benchmarks              # artifacts/bench/sections/ into docs/benchmarks.md (bench.sh calls this itself),
#                                                        # and the plots into docs/benchmarks/
#   docs/update.sh workers                               # measures the start modes of worker pools, into docs/workers.md
#   docs/update.sh                                       # the first two, as far as there is something
set -euo pipefail
shopt -s nullglob
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# paste DOCUMENT FRAGMENTS: fails when there is nothing to paste.
paste() {
  local document=$1 fragment section found=0
  for fragment in "$2"/*.md; do
    section=$(basename -- "$fragment" .md)
    grep -qx "<!-- begin $section -->" "$document" || { echo "update: $document has no section $section" >&2; exit 1; }
    sed -i -e "/^<!-- begin $section -->\$/,/^<!-- end $section -->\$/{//!d}" -e "/^<!-- begin $section -->\$/r $fragment" "$document"
    echo "updated: $document, $section"
    found=1
  done
  ((found))
}

failure_model() { paste docs/failure-model.md TestResults/failure-model; }

# The plots go with the sections: a plot that the document does not link any more is removed.
benchmarks() {
  paste docs/benchmarks.md artifacts/bench/sections || return
  local plot plots=(artifacts/bench/plots/*)
  mkdir -p docs/benchmarks
  if ((${#plots[@]})); then cp -- "${plots[@]}" docs/benchmarks/; fi
  for plot in docs/benchmarks/*.svg; do
    grep -qF "(benchmarks/$(basename -- "$plot"))" docs/benchmarks.md || rm -f -- "$plot" "${plot%.svg}.png"
  done
}

# Measures by itself, a minute long; arguments are those of `worker-pool table`.
workers() {
  local sections=artifacts/workers
  mkdir -p "$sections"
  dotnet build examples/worker-pool -c Release --nologo -v quiet
  examples/worker-pool/bin/Release/net10.0/worker-pool table "$@" > "$sections/start-modes.table"
  mv -- "$sections/start-modes.table" "$sections/start-modes.md"
  paste docs/workers.md "$sections"
}

case ${1:-} in
  failure-model) failure_model || { echo "update: TestResults/failure-model/ is empty: run ./test.sh first" >&2; exit 1; } ;;
  benchmarks) benchmarks || { echo "update: artifacts/bench/sections/ is empty: run ./bench.sh first" >&2; exit 1; } ;;
  workers) shift; workers "$@" ;;
  '')
    found=0
    if failure_model; then found=1; fi
    if benchmarks; then found=1; fi
    ((found)) || { echo "update: there is nothing to put into a document: run ./test.sh or ./bench.sh first" >&2; exit 1; }
    ;;
  *) echo "update: there are failure-model, benchmarks and workers, not $1" >&2; exit 2 ;;
esac
