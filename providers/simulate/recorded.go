package simulate

import (
	"slices"
	"time"

	"kalami/providers"
	"kalami/providers/recording"
)

// recorded is what the simulated ears get to hear of a recording that was uploaded.
//
// A WAV file's samples are heard as they are. A compressed one is looked through down
// to its last block and not decoded, as decoders would be the largest part of a
// simulator that goes by energy alone: it is taken for somebody who talks for as long
// as it lasts, or for [longestTalk] of it.
type recorded struct {
	pcm  []int16 // one channel
	rate int
	took time.Duration // of all of it
}

// longestTalk is longer than any script's lines.
const longestTalk = time.Minute

// openRecorded opens a recording in any container that learners' clients use. The
// error is one of package recording.
func openRecorded(file []byte) (recorded, error) {
	info, err := recording.Inspect(file)
	if err != nil {
		return recorded{}, err
	}
	if info.Format == providers.WAV {
		pcm, err := recording.Samples(file)
		return recorded{pcm: pcm, rate: info.SampleRate, took: info.Duration}, err
	}
	const syllable = syllableMS * time.Millisecond
	talk := slices.Repeat(hum("a"), int(min(info.Duration, longestTalk)/syllable)+1)
	return recorded{pcm: talk, rate: humRate, took: info.Duration}, nil
}

// length is how long so many samples last.
func length(samples, rate int) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(rate)
}
