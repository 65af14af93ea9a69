package learn

import "math"

// PauseLeast is the shortest silence between two words, in milliseconds, that counts as a
// pause: shorter ones belong to the sounds themselves.
const PauseLeast = 250

// Pace is how somebody's words follow each other: sums that can be added up, of spoken
// words alone. It says how fast and with what pauses something was said, and nothing about
// how right or how well pronounced it was. Values are comparable.
type Pace struct {
	Words int `json:"words"`
	// SpeechMS is from the start of each utterance's first word to the end of its last.
	SpeechMS int `json:"speech_ms"`
	// Pauses are the silences of at least [PauseLeast] in it, PauseMS their sum.
	Pauses    int `json:"pauses"`
	PauseMS   int `json:"pause_ms"`
	LongestMS int `json:"longest_ms"`
}

// MeasurePace measures one utterance by the times of its words. Words whose times
// cannot be, such as one that ends before it starts or starts before the one before it, are
// passed over. The zero value when fewer than two are left: one word has no pace.
func MeasurePace(words []SpokenWord) Pace {
	var f Pace
	first, end := 0, 0
	for _, w := range words {
		if w.StartMS < 0 || w.EndMS < w.StartMS || w.EndMS > maxUtteranceMS || f.Words > 0 && w.EndMS < end {
			continue
		}
		if f.Words == 0 {
			first = w.StartMS
		} else if silence := w.StartMS - end; silence >= PauseLeast {
			f.Pauses, f.PauseMS, f.LongestMS = f.Pauses+1, f.PauseMS+silence, max(f.LongestMS, silence)
		}
		f.Words, end = f.Words+1, w.EndMS
	}
	if f.SpeechMS = end - first; f.Words < 2 || f.SpeechMS <= f.PauseMS {
		return Pace{}
	}
	return f
}

// maxUtteranceMS is longer than anything that is said without a break, so that sums of
// broken times stay numbers.
const maxUtteranceMS = 3_600_000

// Plus adds two measures up.
func (f Pace) Plus(g Pace) Pace {
	return Pace{f.Words + g.Words, f.SpeechMS + g.SpeechMS, f.Pauses + g.Pauses, f.PauseMS + g.PauseMS, max(f.LongestMS, g.LongestMS)}
}

// WordsPerMinute is the pace with the pauses, to a tenth; 0 when nothing was measured.
func (f Pace) WordsPerMinute() float64 { return perMinute(f.Words, f.SpeechMS) }

// ArticulationRate is the pace without the pauses, in words a minute, to a tenth; 0 when
// nothing was measured.
func (f Pace) ArticulationRate() float64 { return perMinute(f.Words, f.SpeechMS-f.PauseMS) }

func perMinute(words, ms int) float64 {
	if ms <= 0 {
		return 0
	}
	return math.Round(float64(words)*600_000/float64(ms)) / 10
}

// MeanPauseMS is how long a pause was on average, in whole milliseconds; 0 without any.
func (f Pace) MeanPauseMS() int {
	if f.Pauses == 0 {
		return 0
	}
	return f.PauseMS / f.Pauses
}
