package fillers

import (
	"embed"
	"strings"

	"kalami/session/learn"
)

// Kind says what a clip is for.
type Kind string

// The kinds. Each is there in each of [learn.Languages].
const (
	Thinking  Kind = "thinking"  // the answer takes a little; about 2 s
	Moment    Kind = "moment"    // it takes longer; about 1 s
	Apology   Kind = "apology"   // there will be no answer; about 3 s
	Voiceless Kind = "voiceless" // answers are to be read; about 3 s
	Deaf      Kind = "deaf"      // the tutor does not hear the learner; about 3 s
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Thinking, Moment, Apology, Voiceless, Deaf} }

//go:embed texts.tsv
var texts string

//go:embed clips/*.wav
var clips embed.FS

// Clip is something that the tutor says.
type Clip struct {
	// Text is what is said, in the language in which it is said.
	Text string
	wav  []byte
}

// Say returns the clip of a kind in a language that is taught, such as "es" or "es-MX";
// in any other it is English. A kind that is none of [Kinds] has the zero Clip.
func Say(language string, kind Kind) Clip {
	l, known := learn.LanguageByCode(language)
	if !known {
		l.Code = "en"
	}
	for line := range strings.Lines(texts) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(column) < 3 || column[0] != l.Code || column[1] != string(kind) {
			continue
		}
		wav, err := clips.ReadFile("clips/" + column[0] + "-" + column[1] + ".wav")
		if err != nil {
			return Clip{}
		}
		return Clip{Text: column[2], wav: wav}
	}
	return Clip{}
}

// PCM returns the clip's audio as 16-bit little-endian samples, mono, at rate hertz; nil
// for the zero Clip, or if rate is not positive. It is decoded anew in every call, which
// takes about a millisecond; the slice is the caller's.
func (c Clip) PCM(rate int) []byte {
	samples, from, err := decode(c.wav)
	if err != nil || rate <= 0 {
		return nil
	}
	return pack(resample(samples, from, rate))
}
