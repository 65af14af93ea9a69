#!/bin/sh
# Makes the clips of texts.tsv again, one WAV each (16 kHz, mono, IMA ADPCM), after a text
# has changed. It needs espeak-ng and sox, and is run by
#
#	go generate ./session/fillers
#
# The fourth column of texts.tsv is how a text is spelled for espeak-ng where it cannot read
# the text itself: kana for Japanese, vowel signs for Arabic.
set -eu
cd "$(dirname "$0")"
wav=$(mktemp)
trap 'rm -f "$wav"' EXIT
tab=$(printf '\t')
rm -f clips/*.wav
while IFS="$tab" read -r language kind text spelling; do
	voice=$language speed=185
	case $language in
	en) voice=en-us ;;
	zh) voice=cmn speed=240 ;;
	esac
	printf '%s' "${spelling:-$text}" | espeak-ng -v "$voice+f2" -s "$speed" -w "$wav"
	# Silence at the ends and long rests between sentences are dropped; 4 dB below full
	# scale leave room for the resampler.
	sox -D "$wav" -r 16000 -c 1 -e ima-adpcm "clips/$language-$kind.wav" \
		silence -l 1 0.005 0.5% -1 0.2 0.5% reverse silence 1 0.005 0.5% \
		fade t 0.01 reverse fade t 0.005 norm -4 pad 0 0.05
done <texts.tsv
