#!/bin/sh
# Breaks a Kalami of three nodes in every way that deploy/chaos knows, while learners
# talk, and writes what came of it into its section of deploy/bench/RESULTS.md:
#
#	deploy/bench/chaos.sh [NAME]
#
# It takes hours. CHAOS holds flags of deploy/chaos, to do less of it or to begin chance
# with a seed: CHAOS='-learners 20 -only nodekill -nodekill 50'. With a NAME ("kill", "soak")
# the section is that one's, so that scenarios can be recorded one by one. The section stays
# as it was when a promise was not kept.
set -eu
cd "$(dirname "$0")/../.."

. deploy/bench/section.sh

load=$(busy)
CGO_ENABLED=0 go build -trimpath -tags chaos -o "$work/kalami" ./cmd/kalami
CGO_ENABLED=0 go build -o "$work/chaos" ./deploy/chaos
# shellcheck disable=SC2086 # these are several flags
"$work/chaos" -kalami "$work/kalami" ${CHAOS:-} | tee "$work/out"
grep -q '^chaos trials=.* violations=0 ' "$work/out"

{
	echo "## What breaks, and what of it learners notice${1:+: $1}"
	echo
	echo 'Real processes on one machine: nodes, Postgres, Redis, a load balancer with a bad network before the'
	echo 'nodes, simulated vendors, and learners who talk all the time. Away is the time from when a client notices'
	echo 'that its socket is gone until its session goes on. The last line is the checker’s, on all histories and'
	echo 'the database (`kalami verify`).'
	echo
	circumstances "Postgres and Redis on it, too; $load" "CHAOS='${CHAOS:-}' deploy/bench/chaos.sh${1:+ $1}" '*.go'
	echo
	echo '```'
	cat "$work/out"
	echo '```'
} >"$work/section"

record "chaos${1:+-$1}"
