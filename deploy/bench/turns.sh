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

results=deploy/bench/RESULTS.md
begin='<!-- turns.sh: begin -->'
end='<!-- turns.sh: end -->'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Whatever else runs on the machine is in the figures, too.
busy="load average before it $(cut -d ' ' -f 1 /proc/loadavg)"
go build -o "$work/kalami" ./cmd/kalami
go build -o "$work/turns" ./deploy/bench/turns
"$work/turns" -kalami "$work/kalami" "$@" >"$work/tables"
sed -n '/^turn_latency\|^latency_agreement/p' "$work/tables"

commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- '*.go' ':!*_test.go' || commit="$commit, with changes"
cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
cores=$(grep -c '^processor' /proc/cpuinfo)
{
	echo "$begin"
	echo '## How soon the tutor is heard'
	echo
	echo 'Learners in parallel speak over real sockets to servers of their own kind; the end of their speech is known'
	echo 'to a frame of 20 ms. The services behind are simulators with fixed times: end of turn 350 ms after the end of'
	echo 'speech, eager end 200 ms before it, first token after 400 ms and then 60 a second, answers of 20 tokens, first'
	echo 'sound after 150 ms. So 900 ms and the time of the first clause are the least without drafts. Every fifth'
	echo 'utterance hesitates for 0.7 s in its middle. Tokens are wasted when no answer was made of them. Servers,'
	echo 'simulators and learners share the machine and its loopback.'
	echo
	echo "- Commit: $commit"
	echo "- Date: $(date -u +%Y-%m-%d)"
	echo "- Machine: $cores × $cpu; $busy"
	echo "- Command: \`make bench-turns\`${*:+, with $*}"
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
