#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The README's first command: it ends by itself, both signatures of its message verify, nothing is
# left behind, and a second run works.

set -euo pipefail
cd "${COUNTERSIGN_SOURCE:-$(dirname "$0")/../..}"

for run in first second; do
  if ! output=$(scripts/quickstart 2>&1 </dev/null); then
    printf '%s\nFAIL: the %s run\n' "$output" "$run"
    exit 1
  fi
  printf '%s\n' "$output"
  [[ $(grep -c 'dkim=pass  the signature is valid' <<<"$output") == 2 ]] || {
    echo "FAIL: two signatures should pass in the $run run"
    exit 1
  }
  grep -q '^ *dmarc=pass' <<<"$output" || {
    echo "FAIL: DMARC should pass in the $run run"
    exit 1
  }
  [[ ! -e out/quickstart ]] || {
    echo "FAIL: the $run run left out/quickstart behind"
    exit 1
  }
done
echo "PASS quickstart"
