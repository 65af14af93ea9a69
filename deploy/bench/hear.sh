#!/bin/sh
# Lets Kalami hear the recordings in deploy/bench/speech with real speech engines, and
# writes what came of it into its section of deploy/bench/RESULTS.md:
#
#	REALSPEECH_URL=http://127.0.0.1:8089 deploy/bench/hear.sh [FLAG ...]
#
# REALSPEECH_URL names a server that recognises and speaks behind Deepgram's and
# ElevenLabs' protocols, and behind OpenAI's for recorded speech. A Kalami of this
# checkout is built and started on a free port, beside whatever runs. FLAGs are those
# of "go run ./deploy/bench/hear -h". The exit code is 1 when something was not as it
# should be; the section is written even so.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${REALSPEECH_URL:-}" ]; then
	echo 'REALSPEECH_URL is not set: see the head of this script' >&2
	exit 2
fi
. deploy/bench/section.sh

go build -o "$work/kalami" ./cmd/kalami
go build -o "$work/hear" ./deploy/bench/hear
failed=0
"$work/hear" -kalami "$work/kalami" "$@" >"$work/tables" || failed=$?
if [ ! -s "$work/tables" ]; then
	exit "$failed"
fi

{
	echo '## Real speech, heard and spoken'
	echo
	echo "Recordings of learners (\`deploy/bench/speech\`, synthetic) are spoken in real time to a server whose"
	echo 'recogniser and voice are real engines behind the protocols of Deepgram Nova and ElevenLabs. WER is the'
	echo 'word error rate. Times are from the end of the last word: until the turn was over, and until the first'
	echo 'audio of the answer was sent. The free engine for Spanish, French and German knows some phrases'
	echo 'only, and no capital À, so that its words are no measure; English is recognised with an open vocabulary.'
	echo "The engines' own time is that of model and voice until the answer's first audio; what of it was prepared while"
	echo 'the tutor waited comes next. Hesitant learners pause for 1.2 s within their sentence. The language model is the'
	echo 'demo tutor, whose time is no measure either. Where the engine says little about its interim results, the end of the last word is taken'
	echo 'for up to half a second later than it was.'
	echo
	circumstances 'the engines ran on it, too' "REALSPEECH_URL=… deploy/bench/hear.sh${*:+ }$*" '*.go' ':!*_test.go'
	echo
	cat "$work/tables"
} >"$work/section"

record hear
exit "$failed"
