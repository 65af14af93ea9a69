#!/bin/sh
# Shows what false alarms and interruptions do to what the learner hears, and writes what
# came of it into its section of deploy/bench/RESULTS.md:
#
#	deploy/bench/bargein.sh
#
# The sessions are real, the vendors, the loudspeaker and the clock are the tests' own
# (session/yield_test.go, session/bargein_test.go), so that the figures are the same on
# any machine. The section stays as it was when a test fails.
set -eu
cd "$(dirname "$0")/../.."

. deploy/bench/section.sh

go test -count=1 -v -run '^(TestFalseAlarm|TestHeardToTheWord)$' ./session >"$work/log" || {
	cat "$work/log" >&2
	exit 1
}
sed -n 's/.*\(bargein count=.*\)/\1/p' "$work/log" >"$work/line"
# The name of a case stands in the line before its figures.
awk '
	$1 == "===" && $2 == "RUN" { name = $3; sub(/.*\//, "", name); gsub(/_/, " ", name) }
	/false_alarm / {
		for (i = 1; i <= NF; i++) { split($i, field, "="); value[field[1]] = field[2] }
		printf "| %s | %s | %s | %s |\n", name, value["paused_ms"], value["decided_ms"], value["differing_samples"]
	}' "$work/log" | LC_ALL=C sort >"$work/rows"
awk -F '|' '
	{ n++; if ($4 + 0 > most) most = $4 + 0; samples += $5 }
	END { printf "false_alarm count=%d decided_most_ms=%d differing_samples=%d\n", n, most, samples }' "$work/rows" >>"$work/line"
cat "$work/line"

{
	echo '## Interruptions and false alarms'
	echo
	echo 'Real sessions on a virtual clock; vendors and loudspeaker are simulated. 500 scripted interruptions (a seed'
	echo 'decides) by words, voice and words, or the button, in Spanish, English, French, German and Japanese, at random'
	echo 'moments: also before the first sample and after the last one. Every report of the client is late by 0 to 200 ms,'
	echo 'in order. An interruption is exact when the text that the learner is told to have heard and the one that is'
	echo 'stored are those words that the loudspeaker has rendered to their end, but for the last 20 ms of a word; in'
	echo 'Japanese every character is a word.'
	echo
	echo 'A false alarm is a voice over the tutor that is no interruption. Times are from its onset; samples are those'
	echo 'played that differ from those synthesised, by value or place.'
	echo
	circumstances '' 'make bench-bargein' '*.go'
	echo
	echo '```'
	cat "$work/line"
	echo '```'
	echo
	echo '| false alarm | paused ms | decided ms | differing samples |'
	echo '|---|--:|--:|--:|'
	cat "$work/rows"
} >"$work/section"

record bargein
