#!/usr/bin/env bash
# Puts what the last run of the tests found out into docs/failure-model.md: each file TestResults/failure-model/SECTION.md between the
# lines <!-- begin SECTION --> and <!-- end SECTION -->. Sections that the run did not write stay as they are.
#
#   ./test.sh --long && docs/update.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

document=docs/failure-model.md
found=0
for fragment in TestResults/failure-model/*.md; do
  [[ -e $fragment ]] || break
  section=$(basename -- "$fragment" .md)
  grep -qx "<!-- begin $section -->" "$document" || { echo "update: $document has no section $section" >&2; exit 1; }
  sed -i -e "/^<!-- begin $section -->\$/,/^<!-- end $section -->\$/{//!d}" -e "/^<!-- begin $section -->\$/r $fragment" "$document"
  echo "updated: $section"
  found=1
done
((found)) || { echo "update: TestResults/failure-model/ is empty: run ./test.sh first" >&2; exit 1; }
