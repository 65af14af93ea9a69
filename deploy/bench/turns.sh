#!/bin/sh
# Measures how soon the tutor is heard, with fixed simulators, and writes what came of it
# into its section of deploy/bench/RESULTS.md:
#
#	deploy/bench/turns.sh [FLAG ...]
#
# A Kalami of this checkout is built and started on free ports, beside whatever runs.
# FLAGs are those of "go run ./deploy/bench/turns -h". The section stays as it was when a
# conversation went wrong.
set -eu
cd "$(dirname "$0")/../.."

. deploy/bench/section.sh

load=$(busy)
command='make bench-turns'
[ $# -eq 0 ] || command="deploy/bench/turns.sh $*"
go build -o "$work/kalami" ./cmd/kalami
go build -o "$work/turns" ./deploy/bench/turns
"$work/turns" -kalami "$work/kalami" "$@" >"$work/tables"
sed -n '/^turn_latency\|^latency_agreement/p' "$work/tables"

{
	echo '## How soon the tutor is heard'
	echo
	echo 'Learners in parallel speak over real sockets to servers of their own kind; the end of their speech is known'
	echo 'to a frame of 20 ms. The services behind are simulators with fixed times: end of turn 350 ms after the end of'
	echo 'speech, eager end 200 ms before it, first token after 400 ms and then 60 a second, answers of 20 tokens, first'
	echo 'sound after 150 ms. So 900 ms and the time of the first clause are the least without drafts. Every fifth'
	echo 'utterance hesitates for 0.7 s in its middle. Tokens are wasted when no answer was made of them. Servers,'
	echo 'simulators and learners share the machine and its loopback.'
	echo
	circumstances "$load" "$command" '*.go' ':!*_test.go'
	echo
	cat "$work/tables"
} >"$work/section"

record turns
