package turntaking

import "kalami/session/learn"

// backchannels are sounds by which a listener says "go on": they neither
// interrupt the tutor nor make a turn while it speaks.
var backchannels = learn.WordSet("mhm mm mmm hm hmm uh huh ah aha oh ok okay yes yeah yep right sure sí si vale claro ya ajá oui ouais d'accord ja genau gut stimmt sì va bene sim tá certo pois はい うん ええ はいはい うんうん ええええ そう そうそう 네 네네 응 응응 嗯 嗯嗯 对 对对 对对对 好 好的 是 是的 да угу ага نعم")

// Interrupts says whether words heard while the tutor speaks are meant to stop
// it: some word is neither a back-channel nor, all of them together, the tutor's
// own speech coming back from the loudspeaker.
func Interrupts(heard, spoken string) bool {
	var meant []string
	for _, w := range learn.Words(heard) {
		if !backchannels[w] {
			meant = append(meant, w)
		}
	}
	return len(meant) > 0 && !IsEcho(meant, spoken)
}

// IsEcho says whether the words occur in what the tutor is saying, one after the
// other.
func IsEcho(words []string, spoken string) bool {
	if len(words) == 0 {
		return false
	}
	words, said := learn.Units(words), learn.Units(learn.Words(spoken))
	for start := range said {
		if matches := runLength(words, said[start:]); matches == len(words) {
			return true
		}
	}
	return false
}

// runLength counts how many of words begin said, allowing the recogniser to have
// missed one word of it.
func runLength(words, said []string) int {
	n, missed := 0, 0
	for _, s := range said {
		if n == len(words) {
			break
		}
		if s == words[n] {
			n++
			continue
		}
		if n == 0 {
			return 0
		}
		if missed++; missed > 1 {
			break
		}
	}
	return n
}
