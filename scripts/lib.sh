# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts of this folder share: messages with the time that has passed, a failure as one
# sentence, builds that show progress, and commands run side by side. Source it; it changes to the
# root of the repository.

set -euo pipefail

script_name="scripts/$(basename "$0")"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Everything that a run leaves behind, logs first of all. Git ignores it.
out_dir=$root/out

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
  bold='' red='' green='' yellow='' plain=''
fi

# clock SECONDS: minutes and seconds, as 3:07.
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# step TEXT: says what begins now, with the time since the script began.
step() { printf '%s[%6s]%s %s%s%s\n' "$green" "$(clock $SECONDS)" "$plain" "$bold" "$*" "$plain"; }

# say TEXT: a line below a step.
say() { printf '         %s\n' "$*"; }

# warn TEXT: a line that must not be overlooked, on stderr.
warn() { printf '%s*** %s%s\n' "$yellow" "$*" "$plain" >&2; }

# die SENTENCE: ends the script with one sentence that says what failed and what to do.
die() {
  printf '%s%s: %s%s\n' "$red" "$script_name" "$*" "$plain" >&2
  exit 1
}

# as_root COMMAND…: runs it as root, by sudo where we are not.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$1' needs root, and there is no sudo here: run this as root."
  fi
}

# job_count: how many compilers may run: one a core, one for each GiB of memory that is free, at
# least one.
job_count() {
  if [[ -n ${COUNTERSIGN_JOBS:-} ]]; then
    echo "$COUNTERSIGN_JOBS"
    return
  fi
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  ((memory < cores)) && cores=$memory
  ((cores < 1)) && cores=1
  echo "$cores"
}

# quietly LOG COMMAND…: runs the command with its output in LOG; says every half minute that it
# still runs; shows the end of LOG when it fails.
quietly() {
  local log=$1 began=$SECONDS told=$SECONDS status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  while kill -0 $pid 2>/dev/null; do
    sleep 0.1
    if ((SECONDS - told >= 30)); then
      say "still at it after $(clock $((SECONDS - began))): $(tail -n 1 "$log" | cut -c 1-120)"
      told=$SECONDS
    fi
  done
  wait $pid || status=$?
  if ((status != 0)); then
    tail -n 40 "$log" >&2
    warn "'$*' failed with exit status $status; its whole output is in $log"
  fi
  return $status
}

# build PRESET [TARGET…]: configures and builds; on a terminal ninja shows its own progress,
# elsewhere a line now and then.
build() {
  local preset=$1 began=$SECONDS status=0
  shift
  quietly "$out_dir/log/cmake-$preset.log" cmake --preset "$preset" || return 1
  local command=(cmake --build "build/$preset" -j "$(job_count)")
  (($# > 0)) && command+=(--target "$@")
  if [[ -t 1 ]]; then
    "${command[@]}" || status=$?
  else
    "${command[@]}" 2>&1 | thin_out || status=$?
  fi
  ((status == 0)) || return $status
  say "built in $(clock $((SECONDS - began)))"
}

# thin_out: passes on what ninja prints, of its progress lines one in twenty seconds.
thin_out() {
  local line told=-20
  while IFS= read -r line; do
    if [[ $line == \[+([0-9])/+([0-9])\]* ]]; then
      ((SECONDS - told >= 20)) || continue
      told=$SECONDS
      line=${line%%]*}"]"
      say "$line"
    else
      printf '%s\n' "$line"
    fi
  done
}
shopt -s extglob

# run_parallel COUNT FUNCTION ITEM…: calls FUNCTION with each ITEM, at most COUNT at a time, and
# prints the output of each whole when it ends. Returns the number of items that failed.
run_parallel() {
  local count=$1 function=$2 failed=0 running=0 pid item logs
  shift 2
  logs=$(mktemp -d)
  local -A log_of=()
  reap() {
    local status=0
    wait -n -p pid "${!log_of[@]}" || status=$?
    cat "${log_of[$pid]}"
    unset "log_of[$pid]"
    running=$((running - 1))
    ((status == 0)) || failed=$((failed + 1))
  }
  for item in "$@"; do
    ((running < count)) || reap
    item_log=$(mktemp -p "$logs")
    "$function" "$item" >"$item_log" 2>&1 </dev/null &
    log_of[$!]=$item_log
    running=$((running + 1))
  done
  while ((running > 0)); do reap; done
  rm -rf "$logs"
  return "$failed"
}
