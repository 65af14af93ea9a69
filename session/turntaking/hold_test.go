package turntaking

import (
	"strings"
	"testing"

	"kalami/session/learn"
)

// What learners say to be left alone for a moment, and what only sounds like it.
func TestHoldPhrase(t *testing.T) {
	for language, c := range map[string]struct{ yes, no string }{
		"es": {"Un momento.|Espera, espera.|Eh, un momento, por favor.|Perdón, déjame pensar.|A ver...|Un minuto, por favor.|wait, please",
			"Espera el autobús.|Un minuto.|Por favor.|Eh...|Un momento muy bonito.|Sí.|"},
		"fr": {"Attends.|Euh, attendez, s'il vous plaît.|Une seconde !|Laissez-moi réfléchir.|Laisse-moi réfléchir, attends un moment|Un instant, s’il te plaît.",
			"J'attends le bus.|Attends-moi à la gare.|Une minute.|D'accord.|Un moment difficile."},
		"de": {"Moment bitte.|Einen Augenblick!|Warte, ich muss überlegen.|Äh, warten Sie mal.|Lass mich kurz überlegen.",
			"Ich warte auf den Bus.|Eine Minute.|Bitte.|Im Moment nicht."},
		"it": {"Un attimo.|Aspetta, fammi pensare.|Un momento, per favore.", "Aspetta il treno.|Un attimo di pace.|Grazie."},
		"pt": {"Espera aí.|Só um momento, por favor.|Deixa eu pensar.|Peraí", "Espera o ônibus.|Um momento feliz.|Obrigado."},
		"en": {"Wait a moment.|Hold on, please.|Um, let me think.|One second!|Wait, wait, wait.|OK, just a minute.",
			"Wait for me at the station.|I wait.|One minute.|Let me think of my sister.|Um.|please"},
		"ja": {"ちょっと待って。|ちょっと待ってください|すみません、ちょっと待ってください。|えっと、待って|考えさせてください", "駅で待っています。|はい。|一分。|そうですね。"},
		"ko": {"잠깐만요.|잠시만 기다려 주세요|음, 생각해 볼게요", "버스를 기다려요.|네.|"},
		"zh": {"等一下。|嗯，等等。|让我想一想。|不好意思，请等一下|稍等", "我在等一下公共汽车。|好的。|一分钟。"},
		"ar": {"لحظة من فضلك.|انتظر قليلا|دعني أفكر", "نعم.|أنتظر الحافلة."},
		"ru": {"Минутку, пожалуйста.|Подождите.|Дайте подумать.|Ой, секунду", "Я жду автобус.|Да.|Сейчас."},
	} {
		for text := range strings.SplitSeq(c.yes, "|") {
			if !HoldPhrase(language, text) {
				t.Errorf("%s: %q does not ask for time", language, text)
			}
		}
		for text := range strings.SplitSeq(c.no, "|") {
			if HoldPhrase(language, text) {
				t.Errorf("%s: %q asks for time", language, text)
			}
		}
	}
	for _, l := range learn.Languages {
		if holdPhrases[l.Code] == "" || courtesies[l.Code] == "" || len(lexicons[l.Code].fillers) == 0 {
			t.Errorf("nobody can ask for time in %s", l.English)
		}
	}
	if !HoldPhrase("es-MX", "espera") || !HoldPhrase("tlh", "wait") {
		t.Error("a region, or a language that is not known, hides a request")
	}
	if HoldPhrase("en", strings.Repeat("wait ", 10_000)) {
		t.Error("ten thousand words are no request for time")
	}
}

func TestSameMeaning(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Ayer fui al mercado", "ayer fui al mercado.", true},
		{"I like tea", "I like tea, uhm...", true},
		{"I like tea, euh", "I like tea", true},
		{"c’est ça", "C'est ça !", true},
		{"元気です か", "元気ですか？", true},
		{"学校に行きました、えっと", "学校に行きました", true},
		{"", "...", true},
		{"I like tea", "I like tea and", false},
		{"I like tea", "I like the", false},
		{"Das ist er", "Das ist", false},
		{"Ich ziehe um", "Ich ziehe", false},
		{"Quero um", "Quero", false},
		{"1.5", "15", false},
		{"", "sí", false},
	} {
		if got := SameMeaning(c.a, c.b); got != c.want || SameMeaning(c.b, c.a) != got {
			t.Errorf("%q and %q mean the same: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
