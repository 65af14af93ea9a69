package pronounce

import (
	"kalami/session/learn"
)

// pauseMS is the shortest silence that counts as a pause.
const pauseMS = 250

// phrases say, for each word that was said, whether a phrase ends with it. known is false
// where nothing tells.
type phrases struct {
	after []bool
	known bool
}

// breaks finds where phrases end: by the punctuation of the text, or by the recogniser's.
func breaks(words []learn.AssessedWord, ref []unit, said []utterance) phrases {
	p := phrases{after: make([]bool, len(said)), known: len(ref) > 0}
	for i, u := range said {
		p.after[i] = u.closes
		p.known = p.known || u.closes
	}
	if len(ref) == 0 {
		return p
	}
	// The words of the text lie over what was said in the same order.
	at := -1
	for _, w := range words {
		if w.EndMS != nil {
			for at+1 < len(said) && said[at+1].endMS <= *w.EndMS {
				at++
			}
		}
		if w.RefIndex != nil && ref[*w.RefIndex].closes && at >= 0 {
			p.after[at] = true
		}
	}
	return p
}

// fluency measures what was said.
func fluency(language string, s Sample, said []utterance, fillers int, ends phrases) learn.Fluency {
	f := learn.Fluency{DurationMS: int(min(max(s.Duration.Milliseconds(), 0), maxMS)), Unit: "word", Units: len(said)}
	if language == "zh" || language == "ja" || language == "th" {
		f.Unit = "character"
	}
	if s.Fillers && language == "en" {
		f.Fillers = &fillers
	}
	timed, inPhrase := false, 0
	sum := 0
	for i, u := range said {
		if !u.timed {
			continue
		}
		f.VoicedMS += u.endMS - u.startMS
		f.DurationMS = max(f.DurationMS, u.endMS)
		if timed && u.pauseMS >= pauseMS {
			f.Pauses.Count++
			f.Pauses.LongestMS = max(f.Pauses.LongestMS, u.pauseMS)
			sum += u.pauseMS
			if !ends.after[i-1] {
				inPhrase++
			}
		}
		timed = true
	}
	if f.Pauses.Count > 0 {
		f.Pauses.MeanMS = (sum + f.Pauses.Count/2) / f.Pauses.Count
	}
	if f.VoicedMS == 0 {
		return f
	}
	if ends.known {
		f.Pauses.InPhrase = &inPhrase
	}
	const minute = 60_000
	f.WordsPerMinute = new(rounded(float64(len(said)) * minute / float64(f.DurationMS)))
	f.ArticulationWPM = new(rounded(float64(len(said)) * minute / float64(f.VoicedMS)))
	f.MeanRun = new(rounded(float64(len(said)) / float64(f.Pauses.Count+1)))
	return f
}
