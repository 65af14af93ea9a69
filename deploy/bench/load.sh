#!/bin/sh
# Lets 200 learners talk with one server for a minute and writes what was seen into its
# section of deploy/bench/RESULTS.md:
#
#	deploy/bench/load.sh
#
# The server, the simulated vendors and the learners are one process on this machine's
# cores: the figures are those of all together. LEARNERS and LOAD_TIME choose others than
# 200 and 60s. With PROFILES=folder, cpu.out and heap.out are left there for "go tool
# pprof". The section stays as it was when something was not as it should be.
set -eu
cd "$(dirname "$0")/../.."

learners=${LEARNERS:-200}
length=${LOAD_TIME:-60s}
. deploy/bench/section.sh

load=$(busy)
[ "$(nice)" = 0 ] || load="$load, run with niceness $(nice)"
go test -c -o "$work/kalami.test" ./cmd/kalami
set -- -test.run '^TestLoad$' -test.timeout 20m
if [ -n "${PROFILES:-}" ]; then
	profiles=$(realpath "$PROFILES")
	set -- "$@" -test.cpuprofile "$profiles/cpu.out" -test.memprofile "$profiles/heap.out"
fi
(cd cmd/kalami && KALAMI_LOAD_LEARNERS=$learners KALAMI_LOAD_TIME=$length KALAMI_LOAD_REPORT="$work/tables" "$work/kalami.test" "$@")

{
	echo "## $learners learners at once"
	echo
	echo 'Learners with open microphones (20 ms frames) speak recordings turn by turn, every third time over the'
	echo 'tutor. The server, the simulated vendors (recognition 350 ms after the end of speech, first token after'
	echo '400 ms, first sound after 150 ms, all constant) and the learners are one process: CPU and memory are those'
	echo 'of all three. The time to the first audio includes the level’s patience and the vendors’ 550 ms; what the'
	echo 'server adds under load is the difference to the same turn of a learner who is alone with it.'
	echo
	circumstances "SQLite on disk, Redis in process; $load" "LEARNERS=$learners LOAD_TIME=$length deploy/bench/load.sh" '*.go'
	echo
	cat "$work/tables"
} >"$work/section"

record load
