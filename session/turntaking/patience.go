package turntaking

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kalami/session/learn"
)

// Bounds of a learner's own patience setting, and of any wait computed from it.
const (
	MinPatience = 800 * time.Millisecond
	MaxPatience = 4 * time.Second
)

// The stretch of a turn's patience: a sentence that plainly goes on gets more
// time, one that plainly ends gets less. Starting values, to be tuned by measurement.
const (
	unfinishedStretch = 1.75
	finishedShrink    = 0.6
)

// LevelPatience is how long a learner of a level may be silent before the tutor
// speaks: beginners search for words longer.
func LevelPatience(l learn.Level) time.Duration {
	switch l {
	case learn.A1:
		return 2000 * time.Millisecond
	case learn.A2:
		return 1800 * time.Millisecond
	case learn.B1:
		return 1500 * time.Millisecond
	case learn.B2:
		return 1200 * time.Millisecond
	default:
		return 900 * time.Millisecond
	}
}

// Wait is how long silence must last for a patience and its stretch.
func Wait(patience time.Duration, stretch float64) time.Duration {
	wait := time.Duration(float64(patience) * stretch)
	if stretch > 1 {
		return min(wait, MaxPatience)
	}
	return wait
}

// Judge says by how much patience is to be stretched after text, more than 1 when its
// sentence goes on and less when it ends, and why. question is what the tutor said before.
func Judge(language, text, question string) (stretch float64, why Why) {
	switch {
	case LooksFinished(question) && ClosedAnswer(text):
		return finishedShrink, WhyAnswered
	case LooksUnfinished(language, text):
		return unfinishedStretch, WhyUnfinished
	case LooksFinished(text):
		return finishedShrink, WhyFinished
	}
	return 1, WhyPatience
}

// LooksUnfinished says whether a speaker who stopped here has plainly more to
// say: the text ends in a comma, an ellipsis, an article, preposition,
// conjunction or filler, or in a word said twice.
func LooksUnfinished(language, text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	if strings.ContainsRune(",;:、，،؛…-–—", last) || strings.HasSuffix(text, "...") {
		return true
	}
	if strings.ContainsRune("?!？！。؟", last) {
		return false
	}
	words := learn.Words(text)
	if len(words) == 0 {
		return false
	}
	end := words[len(words)-1]
	if len(words) > 1 && words[len(words)-2] == end {
		return true
	}
	return sounds[end] || fillersOf(language)[end] || danglers(language)[end] || trailsOff(language, end)
}

// trailsOff says whether the last word, or the whole sentence in a script without
// spaces, ends in something with which no sentence of the language ends.
func trailsOff(language, end string) bool {
	if strings.HasSuffix(end, "こんにちは") || strings.HasSuffix(end, "こんばんは") { // they end like a topic, but greet
		return false
	}
	base, _, _ := strings.Cut(language, "-")
	return slices.ContainsFunc(unfinishedTails[base], func(tail string) bool { return strings.HasSuffix(end, tail) })
}

// ClosedAnswer says whether the text is nothing but a yes or a no.
func ClosedAnswer(text string) bool {
	words := learn.Words(text)
	for _, w := range words {
		if !backchannels[w] && !refusals[w] {
			return false
		}
	}
	return len(words) > 0
}

// refusals are the words for no; those for yes are among the back-channels.
var refusals = learn.WordSet("no nope non nein nö não нет いいえ 아니요 不 不是 لا gracias merci danke grazie thanks")

// LooksFinished says whether the text plainly asks for an answer. A full stop
// alone does not count: recognisers put one at every pause.
func LooksFinished(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimSpace(text))
	return last == '?' || last == '？' || last == '؟'
}

// fillersOf returns the words by which speakers of a language gain time.
func fillersOf(language string) map[string]bool { return fillers[primary(language)] }

// fillers are such words per language; what is a filler in one is a word in another.
var fillers = map[string]map[string]bool{
	"es": learn.WordSet("eh em este pues bueno sea osea digamos"),
	"fr": learn.WordSet("eh ben bah bon euh enfin alors genre voilà"),
	"de": learn.WordSet("eh em also halt naja na tja hm ähm"),
	"it": learn.WordSet("eh em cioè allora insomma ehm beh boh"),
	"pt": learn.WordSet("eh hã é né tipo bem pois então ahn"),
	"en": learn.WordSet("eh em um er like well so"),
	"ru": learn.WordSet("э ну вот значит это"),
	"ja": learn.WordSet("あの あのー えっと えーと ええと うーん まあ なんか その"),
	"ko": learn.WordSet("음 어 그 저 그니까 뭐지"),
	"zh": learn.WordSet("那个 这个 嗯 呃 就是"),
	"ar": learn.WordSet("يعني آه امم طيب"),
}

// danglers returns the words with which no sentence of the language ends:
// articles, prepositions, conjunctions, possessives, auxiliaries.
func danglers(language string) map[string]bool {
	base, _, _ := strings.Cut(language, "-")
	return unfinishedEndings[base]
}

// unfinishedEndings lists such words per language; see unfinishedTails for those that
// are written without spaces or put such words behind.
var unfinishedEndings = map[string]map[string]bool{
	"es": learn.WordSet("el la los las un una unos unas de del a al en con por para sin sobre entre hasta desde hacia y e o u pero porque que si cuando como aunque mientras mi mis tu tus su sus nuestro nuestra muy más yo es son fue he ha había estoy está quiero"),
	"fr": learn.WordSet("le la les un une des du de d à au aux en dans avec pour par sans sur sous entre chez et ou mais parce que qu qui si quand comme donc mon ma mes ton ta tes son sa ses notre nos votre vos leur très plus je suis est ai as a avons étais j'ai c'est"),
	"de": learn.WordSet("der die das den dem des ein eine einen einem einer eines in im an am auf aus bei mit nach von vom zu zum zur für gegen ohne um über unter und oder aber weil dass wenn ob als wie denn sondern mein meine meinen dein deine sein seine ihr ihre sehr ich bin ist habe hat hatte war gestern"),
	"it": learn.WordSet("il lo la i gli le un uno una di del della dei delle a al alla da dal in nel nella con per su sul tra fra e ed o ma perché che se quando come mio mia miei tuo tua suo sua molto più io sono è ho ha"),
	"pt": learn.WordSet("o a os as um uma uns umas de do da dos das em no na nos nas com por para sem sobre entre até e ou mas porque que se quando como meu minha seu sua muito mais eu sou é estou está tenho"),
	"en": learn.WordSet("a an the of to in on at with for from by about into and or but because that if when while so than my your his her its our their very more i i'm am is are was were have has had don't can will would yesterday"),
	"ru": learn.WordSet("в на с со к ко у о об от до для без под над при и или но а что чтобы если когда как потому мой моя мои твой его её наш очень я"),
	"ar": learn.WordSet("في من إلى على عن مع و أو لكن لأن أن إذا عندما كان أنا"),
}

// unfinishedTails lists, per language, the ends of a last word after which something
// must come: particles, conjunctions, sounds of hesitation.
var unfinishedTails = map[string][]string{
	"zh": strings.Fields("和 跟 但是 因为 所以 如果 而且 还有 很 那个 这个 嗯"),
	"ja": strings.Fields("は を に へ が あの えっと えーと その"),
	"ko": strings.Fields("은 는 을 를 에 에서 에게 하고 그리고 그래서 그런데"),
}
