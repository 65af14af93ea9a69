package simulate

import (
	"math"
	"strings"
	"unicode"
)

// humRate is the sample rate of hummed syllables.
const humRate = 24000

// syllableMS is the length of one hummed syllable.
const syllableMS = 190

// hum speaks text without any engine: one vowel-like tone per syllable, so that
// it takes as long as speech would, has speech's energy, and can be told from
// silence by ear and by machine. It cannot be understood.
func hum(text string) []int16 {
	vowels := syllables(text)
	n := humRate * syllableMS / 1000
	out := make([]int16, 0, n*len(vowels))
	phase := 0.0
	for i, v := range vowels {
		// The pitch falls over the fragment, as in a statement.
		pitch := 150 - 40*float64(i)/float64(len(vowels))
		for k := range n {
			phase += 2 * math.Pi * pitch / humRate
			envelope := math.Sin(math.Pi * float64(k) / float64(n))
			out = append(out, int16(9000*envelope*voiced(phase, pitch, v)))
		}
	}
	return out
}

// voiced is one sample of a glottal-like source whose harmonics are weighed by
// the vowel's two formants; its amplitude is at most 1.
func voiced(phase, pitch float64, v [2]float64) float64 {
	sum, norm := 0.0, 0.0
	for h := 1; h <= 16; h++ {
		f := pitch * float64(h)
		w := (resonance(f, v[0], 90) + 0.6*resonance(f, v[1], 130) + 0.05) / math.Sqrt(float64(h))
		sum += w * math.Sin(phase*float64(h))
		norm += w
	}
	return 2 * sum / norm
}

// resonance is the gain of a formant at centre with the given half-width, in hertz.
func resonance(f, centre, width float64) float64 {
	d := (f - centre) / width
	return 1 / (1 + d*d)
}

// syllables returns the formants of each syllable's vowel, at least one.
func syllables(text string) [][2]float64 {
	var out [][2]float64
	inVowel := false
	for _, r := range strings.ToLower(text) {
		v, ok := formants(r)
		if ok && !inVowel {
			out = append(out, v)
		}
		inVowel = ok
	}
	if len(out) == 0 {
		// No vowel that we know: another script, or digits. One for each two letters.
		letters := 0
		for _, r := range text {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				letters++
			}
		}
		for range max(1, (letters+1)/2) {
			out = append(out, [2]float64{700, 1200})
		}
	}
	return out
}

// formants returns a vowel's first two formants in hertz.
func formants(r rune) ([2]float64, bool) {
	switch r {
	case 'a', 'à', 'á', 'â', 'ä', 'ã', 'å', 'α', 'а':
		return [2]float64{730, 1200}, true
	case 'e', 'è', 'é', 'ê', 'ë', 'ε', 'е':
		return [2]float64{530, 1840}, true
	case 'i', 'í', 'î', 'ï', 'y', 'ι', 'и':
		return [2]float64{300, 2250}, true
	case 'o', 'ó', 'ô', 'ö', 'õ', 'œ', 'ο', 'о':
		return [2]float64{520, 900}, true
	case 'u', 'ù', 'ú', 'û', 'ü', 'υ', 'у':
		return [2]float64{320, 800}, true
	}
	return [2]float64{}, false
}
