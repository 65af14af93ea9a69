#!/bin/sh
# Replays the learners of deploy/bench/learners through rules about the end of a turn,
# and writes how often they were cut off, and how long they waited, into its section of
# deploy/bench/RESULTS.md:
#
#	deploy/bench/cutoff.sh
#
# It needs no keys and takes a second. What is replayed, and what the rules are, stands
# in the documentation of the program, "go doc ./deploy/bench/cutoff". The exit code is 1
# when the goal was missed; the section is written even so.
set -eu
cd "$(dirname "$0")/../.."

. deploy/bench/section.sh

go build -o "$work/cutoff" ./deploy/bench/cutoff
failed=0
"$work/cutoff" >"$work/tables" || failed=$?
cat "$work/tables"
if [ ! -s "$work/tables" ]; then
	exit "$failed"
fi

{
	echo '## Learners cut off'
	echo
	echo 'Utterances of hesitant learners are replayed as events of a recogniser, on a virtual clock, to the turn clock'
	echo 'that conducts sessions and to other rules. **The set is ours** (`deploy/bench/learners`): written, not recorded,'
	echo 'with computed word times. The utterances for judging were not looked at while the rules were made, but their totals,'
	echo 'which every run prints, were seen while rules still changed, and one late rule was chosen again, on the tuning'
	echo 'part, after the judging total had got worse: the judging part is not untouched in the strictest sense. `flux_model` is'
	echo '**our model** of a recogniser that judges ends itself, not that product; it is stated in `go doc ./deploy/bench/cutoff`.'
	echo 'An utterance is cut off when its turn was ended before its last word; the wait is from the end of the last'
	echo 'word to the end of the turn. Drafts use that wait: the answer is ready when it is over. `kalami_adapted` had'
	echo 'heard the other two thirds of the same level and language before, as one learner’s.'
	echo
	circumstances 'the figures do not depend on it' 'make bench-cutoff' '*.go' ':!*_test.go'
	echo
	cat "$work/tables"
} >"$work/section"

record cutoff
exit "$failed"
