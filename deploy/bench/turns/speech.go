package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
)

// micRate is that of the recordings, and of the learners' microphones, in hertz.
const micRate = 16000

// readers are the recordings that lend the learners their voice. Which words are heard
// in it is the script's: the simulated recogniser hears voice, not words.
var readers = map[string]string{"en": "en-01-clean", "es": "es-01-clean", "fr": "fr-01-clean", "de": "de-01-clean"}

// utterance is a line of the script, spoken: its voice begins with the first sample and
// ends with the last. hesitant is the same with a pause in its middle.
type utterance struct{ fluent, hesitant []byte }

// utterances speaks the lines of a language.
func utterances(folder, language string) ([]utterance, error) {
	f, err := os.Open(filepath.Join(folder, readers[language]+".wav"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := learner.ReadWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	if rec.Rate != micRate {
		return nil, fmt.Errorf("%s: %d Hz, want %d", f.Name(), rec.Rate, micRate)
	}
	var all []utterance
	for _, turn := range scripts()[language].Turns {
		fluent, err := voice(rec.PCM, spokenFor(turn))
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", f.Name(), turn.Learner, err)
		}
		broken, err := voice(rec.PCM, spokenFor(turn)+torn)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", f.Name(), turn.Learner, err)
		}
		all = append(all, utterance{fluent, withPause(broken, pauseTime)})
	}
	return all, nil
}

// spokenFor is how long a voice the simulated recogniser needs for a line's words, and
// a little more.
func spokenFor(t simulate.Turn) time.Duration {
	const char, more = 45 * time.Millisecond, 200 * time.Millisecond
	return time.Duration(utf8.RuneCountInString(t.Learner)+1)*char + more
}

// torn is how much longer a voice must be for each pause in it: of a word that a pause
// tears apart, what was spoken may not count.
const torn = 350 * time.Millisecond

// voice takes at least so much of a recording from its first loud frame on, and ends
// with a loud frame: the end of what is spoken is known to a frame.
func voice(pcm []byte, least time.Duration) ([]byte, error) {
	const frame, gap = micRate / 50 * 2, 5 // bytes; frames that are not bridged
	from, quiet := -1, 0
	for at := 0; at+frame <= len(pcm); at += frame {
		level := level(pcm[at : at+frame])
		if level < loud {
			if quiet++; level > silent {
				quiet = 0
			}
			if quiet == gap && from >= 0 {
				least += torn
			}
			continue
		}
		if from < 0 {
			from = at
		}
		quiet = 0
		if time.Duration(at+frame-from)*time.Second/(2*micRate) >= least {
			return pcm[from : at+frame], nil
		}
	}
	return nil, fmt.Errorf("the recording has no voice for %v", least)
}

// A frame is silent below the one level, and above the other well above anything that
// could be taken for quiet; both are root mean squares.
const silent, loud = 0.01, 0.05

// level is a frame's root mean square, 1 for the loudest there is.
func level(frame []byte) float64 {
	var sum float64
	for i := 0; i+1 < len(frame); i += 2 {
		s := float64(int16(binary.LittleEndian.Uint16(frame[i:]))) / math.MaxInt16
		sum += s * s
	}
	return math.Sqrt(sum / float64(len(frame)/2))
}

// withPause is speech with a pause in its middle.
func withPause(pcm []byte, pause time.Duration) []byte {
	half := len(pcm) / 4 * 2
	silence := make([]byte, int(pause.Seconds()*micRate)*2)
	return slices.Concat(pcm[:half], silence, pcm[half:])
}
