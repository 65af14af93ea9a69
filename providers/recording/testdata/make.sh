#!/usr/bin/env bash
# Makes the recordings of this folder with ffmpeg from one utterance of synthetic
# speech. README.md says what each is. Run it in this folder.
set -euo pipefail
cd "$(dirname "$0")"

utterance=../../../deploy/bench/speech/en-04-bargein.wav
make() { # make OUTPUT OPTIONS...: encodes the utterance without the silence around it
	local out=$1
	shift
	ffmpeg -hide_banner -loglevel error -y -ss 0.2 -t 3.5 -i "$utterance" \
		-map_metadata -1 -fflags +bitexact -flags:a +bitexact "$@" "$out"
}

make speech.wav -c:a pcm_s16le
make stereo24.wav -ss 0.5 -t 0.1 -ar 44100 -ac 2 -c:a pcm_s24le
make float.wav -ss 0.5 -t 0.1 -ar 24000 -c:a pcm_f32le
make speech-cbr.mp3 -ar 44100 -c:a libmp3lame -b:a 32k
make speech-vbr.mp3 -ar 16000 -c:a libmp3lame -q:a 6
make speech-plain.mp3 -ar 8000 -c:a libmp3lame -b:a 16k -write_xing 0 -id3v2_version 0
make speech.webm -ar 48000 -c:a libopus -b:a 24k
make speech-live.webm -ar 48000 -c:a libopus -b:a 24k -f webm -live 1 -cluster_time_limit 1000
make vorbis.webm -ar 16000 -c:a libvorbis -q:a 1
make speech.ogg -ar 48000 -c:a libopus -b:a 24k
make vorbis.ogg -ar 16000 -c:a libvorbis -q:a 1
make speech.m4a -ar 16000 -c:a aac -b:a 32k
make speech-fragmented.m4a -ar 16000 -c:a aac -b:a 32k -movflags frag_keyframe+empty_moov -frag_duration 500000
make opus.m4a -ar 48000 -c:a libopus -b:a 24k -f mp4
make alac.m4a -ss 0.5 -t 0.5 -ar 16000 -c:a alac

# What the package's tests compare with.
for f in *.wav *.mp3 *.webm *.ogg *.m4a; do
	printf '%-22s ' "$f"
	ffprobe -v error -show_entries stream=codec_name,sample_rate,channels,duration:format=duration \
		-of default=nw=1:nk=1 "$f" | tr '\n' ' '
	ffprobe -v error -show_entries packet=pts_time,duration_time -of csv=p=0 "$f" | tail -n 1
done
