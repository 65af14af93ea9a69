package recall

import (
	"fmt"

	"kalami/session/learn"
)

// phrases are what the tutor says around the cards, in one language.
type phrases struct {
	say, mend string // questions: with what is asked
	right     string
	wrong     string // with the answer
	unclear   string
	none      string // nothing is due
	done      string // nothing is left
}

var spoken = map[string]phrases{
	"en": {"How do you say “%s”?", "Say it right: “%s”", "Right!", "It is: “%s”.", "Sorry, say that again?", "There is nothing to review now.", "That is all for now. Well done!"},
	"es": {"¿Cómo se dice «%s»?", "Dilo bien: «%s»", "¡Muy bien!", "Se dice: «%s».", "Perdona, ¿lo repites?", "Ahora no hay nada que repasar.", "Eso es todo por ahora. ¡Buen trabajo!"},
	"fr": {"Comment dit-on « %s » ?", "Dis-le correctement : « %s »", "Très bien !", "On dit : « %s ».", "Pardon, tu peux répéter ?", "Il n'y a rien à réviser maintenant.", "C'est tout pour le moment. Bravo !"},
	"de": {"Wie sagt man „%s“?", "Sag es richtig: „%s“", "Sehr gut!", "Man sagt: „%s“.", "Entschuldige, noch einmal?", "Gerade gibt es nichts zu wiederholen.", "Das war alles für jetzt. Gut gemacht!"},
	"it": {"Come si dice «%s»?", "Dillo bene: «%s»", "Molto bene!", "Si dice: «%s».", "Scusa, puoi ripetere?", "Adesso non c'è niente da ripassare.", "È tutto per ora. Ottimo lavoro!"},
	"pt": {"Como se diz «%s»?", "Diz bem: «%s»", "Muito bem!", "Diz-se: «%s».", "Desculpa, podes repetir?", "Agora não há nada para rever.", "É tudo por agora. Bom trabalho!"},
	"ja": {"「%s」は何と言いますか。", "正しく言ってください。「%s」", "いいですね。", "「%s」と言います。", "すみません、もう一度お願いします。", "今は復習するものがありません。", "今はこれで終わりです。よくできました。"},
	"ko": {"“%s”를 어떻게 말해요?", "바르게 말해 보세요: “%s”", "잘했어요!", "“%s”라고 해요.", "죄송해요, 다시 말해 주세요.", "지금은 복습할 것이 없어요.", "지금은 여기까지예요. 잘했어요!"},
	"zh": {"“%s”怎么说？", "请说对：“%s”", "很好！", "应该说：“%s”。", "不好意思，请再说一遍。", "现在没有要复习的。", "现在就到这里。做得好！"},
	"ar": {"كيف تقول «%s»؟", "قلها بشكل صحيح: «%s»", "أحسنت!", "نقول: «%s».", "عفوًا، هل تعيد؟", "لا شيء للمراجعة الآن.", "هذا كل شيء الآن. أحسنت!"},
	"ru": {"Как сказать «%s»?", "Скажи правильно: «%s»", "Отлично!", "Правильно: «%s».", "Извини, повтори, пожалуйста.", "Сейчас нечего повторять.", "На сегодня всё. Молодец!"},
}

// in are the phrases of a language; those of English for one that Kalami does not teach.
func in(language string) phrases {
	if l, ok := learn.LanguageByCode(language); ok {
		if p, ok := spoken[l.Code]; ok {
			return p
		}
	}
	return spoken["en"]
}

// Question is how the tutor asks a card.
func Question(language string, c learn.Card) string {
	if c.Kind == learn.CardFix {
		return fmt.Sprintf(in(language).mend, c.Front)
	}
	return fmt.Sprintf(in(language).say, c.Front)
}

// Comment is what the tutor says to an answer that was rated.
func Comment(language string, c learn.Card, right bool) string {
	if right {
		return in(language).right
	}
	return fmt.Sprintf(in(language).wrong, Answers(c)[0])
}

// Unclear is what the tutor says to an answer that it did not understand.
func Unclear(language string) string { return in(language).unclear }

// Nothing is what the tutor says when no card is due: at the beginning, or after some were
// asked.
func Nothing(language string, asked bool) string {
	if asked {
		return in(language).done
	}
	return in(language).none
}
