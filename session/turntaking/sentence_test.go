package turntaking

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/session/learn"
)

// What is left of patience after an answer, in every language that is taught: each line
// is the tutor's words, the learner's, and why the turn stays open.
func TestJudge(t *testing.T) {
	for language, lines := range map[string]string{
		"es": `¿Tienes coche? | Sí | answered
			¿Tienes coche? | No, no tengo | answered
			¿Tienes coche? | Tengo un | unfinished
			¿Tienes coche? | Solo una bicicleta vieja | answered
			¿Té o café? | Café, por favor | answered
			¿Té o café? | Prefiero el | unfinished
			Muy bien. ¿Cuántos años tienes? | Treinta y dos | answered
			¿Dónde trabajas? | Trabajo en un hospital | answered
			¿Por qué? | Es barato | invited
			¿Qué hiciste? | Ayer vi una película de miedo con mis dos hermanas mayores | answered
			Háblame de tu casa. | Es una casa pequeña | invited
			Qué bien. | Mi hermano es médico | patience
			Qué bien. | ¿Y usted? | finished
			Qué bien. | Y entonces, pues | unfinished`,
		"fr": `Tu as un chien ? | Non, je n'en ai pas | answered
			Tu as un chien ? | Oui, un petit | answered
			Du thé ou du café ? | Du café, s'il te plaît | answered
			Tu habites où ? | À Lyon | answered
			Quel âge as-tu ? | Trente ans | answered
			Pourquoi ? | Parce que je | unfinished
			Raconte-moi ta journée. | Je me suis levé tôt | invited
			C'est bien. | Mon frère est médecin | patience
			C'est bien. | J'aime l' | unfinished`,
		"de": `Hast du ein Auto? | Ja, habe ich | answered
			Hast du ein Auto? | Nein, nur ein Rad | answered
			Tee oder Kaffee? | Lieber Kaffee, bitte | answered
			Wie alt bist du? | Dreißig | answered
			Wo arbeitest du? | In einem Krankenhaus | answered
			Warum? | Es ist billig | invited
			Erzähl mir von deinem Tag. | Ich bin früh aufgestanden | invited
			Schön. | Mein Bruder ist Arzt | patience
			Schön. | Ich wollte mit | unfinished`,
		"it": `Hai un cane? | No | answered
			Tè o caffè? | Un caffè, per favore | answered
			Dove abiti? | Abito a Torino | answered
			Perché? | Costa poco | invited
			Bene. | Mio fratello è un | unfinished`,
		"pt": `Você tem carro? | Sim, tenho | answered
			Chá ou café? | Café, por favor | answered
			Onde você mora? | Moro em Recife | answered
			Por que? | É barato | invited
			Muito bem. | Eu gosto de | unfinished`,
		"en": `Do you have a car? | Yes, I do | answered
			Do you have a car? | No, I haven't | answered
			Do you have a car? | I have | unfinished
			Tea or coffee? | Coffee, please | answered
			Tea or coffee? | Coffee with | unfinished
			How old are you? | Thirty two | answered
			Where do you work? | In a hospital | answered
			Why? | It is cheap | invited
			Good. What did you do? | I went to the cinema with my sister and her two children | answered
			Tell me about your house. | It is a small house | invited
			Good. | My brother is a doctor | patience
			Good. | no no | patience
			Good. | And then, like | unfinished`,
		"ru": `У вас есть машина? | Да | answered
			Чай или кофе? | Кофе, пожалуйста | answered
			Где вы живёте? | Я живу в Казани | answered
			Почему? | Это дёшево | invited
			Хорошо. | Я хочу | unfinished`,
		"ar": `هل عندك سيارة؟ | لا | answered
			أين تسكن؟ | أسكن في القاهرة | answered
			لماذا؟ | رخيص جدا | invited
			جيد. | أريد أن | unfinished`,
		"zh": `你有车吗？ | 没有 | answered
			你要茶还是咖啡？ | 我喝咖啡 | answered
			你住在哪里？ | 我住北京 | answered
			为什么？ | 很便宜 | invited
			很好。 | 我觉得 | unfinished`,
		"ja": `車がありますか？ | はい | answered
			お茶ですか、それともコーヒーですか？ | コーヒー | answered
			どこに住んでいますか？ | 東京です | answered
			いいですね。 | 学校に行きました | patience
			いいですね。 | 昨日は学校で | unfinished`,
		"ko": `차가 있어요? | 아니요 | answered
			어디에서 일해요? | 병원에서 일해요 | patience
			왜요? | 싸요 | invited
			좋아요. | 저는 학교에서 | unfinished`,
	} {
		for line := range strings.Lines(lines) {
			f := strings.Split(line, "|")
			question, text, want := strings.TrimSpace(f[0]), strings.TrimSpace(f[1]), Why(strings.TrimSpace(f[2]))
			for _, said := range []string{text, text + "."} { // recognisers put a full stop at every pause
				if strings.HasSuffix(text, "?") && said != text {
					continue
				}
				if stretch, why := Judge(language, said, question); why != want {
					t.Errorf("%s: after %q, %q is %s (%v), want %s", language, question, said, why, stretch, want)
				}
			}
		}
	}
	for _, l := range learn.Languages {
		if lex := lexiconOf(l.Code); len(lex.function)+len(lex.tails) == 0 || lex.facts == "" || lex.asks == "" || len(lex.or) == 0 {
			t.Errorf("of %s too little is known", l.English)
		}
	}
}

// Ten thousand characters are judged by their end, and quickly.
func TestJudgeLongTexts(t *testing.T) {
	long := strings.Repeat("además ñandú ", 2000)
	if _, why := Judge("es", long+"con la", "¿Qué?"); why != WhyUnfinished {
		t.Errorf("the end of a long text is %s", why)
	}
	if got := clip(long); len(got) > judgedBytes || !utf8.ValidString(got) {
		t.Errorf("clipped to %d bytes, valid %v", len(got), utf8.ValidString(got))
	}
}

// Whatever was said, the wait stays within its bounds, and the answer is the same again.
func FuzzJudge(f *testing.F) {
	f.Add("es", "Prefiero el mar.", "¿El mar o la montaña?")
	f.Add("ja", "学校に、えっと", "どこですか？")
	f.Add("fr-CA", "l'", "Tu habites où ?")
	f.Add("", "...", "?")
	f.Add("de", "\xff\x00 und", "…！")
	f.Fuzz(func(t *testing.T, language, text, question string) {
		stretch, why := Judge(language, text, question)
		if !slices.Contains([]Why{WhyPatience, WhyUnfinished, WhyFinished, WhyAnswered, WhyInvited}, why) || stretch < finishedShrink || stretch > unfinishedStretch {
			t.Errorf("%q after %q: %v, %s", text, question, stretch, why)
		}
		if again, _ := Judge(language, text, question); again != stretch {
			t.Errorf("%q after %q: %v, then %v", text, question, stretch, again)
		}
		if wait := Wait(MaxPatience, stretch); wait > MaxPatience {
			t.Errorf("%q is waited after for %v", text, wait)
		}
		if !SameMeaning(text, text) || SameMeaning(text, question) != SameMeaning(question, text) {
			t.Errorf("%q and %q", text, question)
		}
		if HoldPhrase(language, text) && len(learn.Words(text)) == 0 {
			t.Errorf("%q asks for time without a word", text)
		}
	})
}
