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

results=deploy/bench/RESULTS.md
begin='<!-- cutoff.sh: begin -->'
end='<!-- cutoff.sh: end -->'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/cutoff" ./deploy/bench/cutoff
failed=0
"$work/cutoff" >"$work/tables" || failed=$?
cat "$work/tables"
if [ ! -s "$work/tables" ]; then
	exit "$failed"
fi

commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- '*.go' ':!*_test.go' || commit="$commit, with changes"
cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
cores=$(grep -c '^processor' /proc/cpuinfo)
{
	echo "$begin"
	echo '## Learners cut off'
	echo
	echo 'Utterances of hesitant learners are replayed as events of a recogniser, on a virtual clock, to the turn clock'
	echo 'that conducts sessions and to other rules. **The set is ours** (`deploy/bench/learners`): written, not recorded,'
	echo 'with computed word times. The utterances for judging were not looked at while the rules were made. `flux_model` is **our'
	echo 'model** of a recogniser that judges ends itself, not that product; it is stated in `go doc ./deploy/bench/cutoff`.'
	echo 'An utterance is cut off when its turn was ended before its last word; the wait is from the end of the last'
	echo 'word to the end of the turn. Drafts use that wait: the answer is ready when it is over. `kalami_adapted` had'
	echo 'heard the other two thirds of the same level and language before, as one learner’s.'
	echo
	echo "- Commit: $commit"
	echo "- Date: $(date -u +%Y-%m-%d)"
	echo "- Machine: $cores × $cpu; the figures do not depend on it"
	echo '- Command: `make bench-cutoff`'
	echo
	cat "$work/tables"
	echo "$end"
} >"$work/section"

# Only this section is exchanged; the others belong to other programs.
if [ ! -f "$results" ]; then
	printf '# Recorded results\n\nEach section is written by the program that it names.\n' >"$results"
fi
if grep -qxF "$begin" "$results"; then
	awk -v section="$work/section" -v begin="$begin" -v end="$end" '
		$0 == begin { skip = 1; while ((getline line < section) > 0) print line }
		!skip { print }
		$0 == end { skip = 0 }' "$results" >"$work/results"
else
	{
		cat "$results"
		echo
		cat "$work/section"
	} >"$work/results"
fi
cat "$work/results" >"$results"
exit "$failed"
