package pronounce

import (
	"slices"
	"strings"

	"kalami/session/learn"
)

// phrasebook is what learners are told, in one language. %s stands for words.
type phrasebook struct {
	recognised string // the caveat of RecognitionBasis
	judged     string // the caveat of AcousticBasis
	missing    string // words that were left out
	swapped    string // words that were heard as others
	unclear    string // words that were hard to recognise
	sounds     string // sounds that were off
	pauses     string // pauses within phrases
	fine       string // nothing went wrong
	comma      string // between words of a list
}

// wordsFor is the phrasebook of a language, and which language it is in: English for those
// that are not known here.
func wordsFor(native string) (phrasebook, string) {
	language := primary(native)
	switch language {
	case "es":
		return phrasebook{
			"Se basa en la claridad con que un reconocedor te entendió, no en los sonidos mismos.",
			"Un programa ha juzgado los sonidos: no es el oído de un profesor y puede equivocarse.",
			"Te has saltado: %s. Lee la frase otra vez.", "Se entendió otra palabra en lugar de: %s. Dilas otra vez, despacio.",
			"Di otra vez, despacio: %s. Costó reconocerlo.", "Practica estos sonidos: %s.",
			"Intenta hacer las pausas entre las frases y no dentro de ellas.", "Se reconoció todo. Prueba ahora algo más rápido.", ", ",
		}, language
	case "fr":
		return phrasebook{
			"Fondé sur la clarté avec laquelle un logiciel vous a compris, et non sur les sons eux-mêmes.",
			"Un logiciel a jugé les sons : ce n’est pas l’oreille d’un professeur, et il peut se tromper.",
			"Vous avez sauté : %s. Relisez la phrase.", "Un autre mot a été compris à la place de : %s. Redites-les lentement.",
			"Redites lentement : %s. C’était difficile à reconnaître.", "Travaillez ces sons : %s.",
			"Essayez de faire les pauses entre les phrases plutôt qu’à l’intérieur.", "Tout a été reconnu. Essayez un peu plus vite.", ", ",
		}, language
	case "de":
		return phrasebook{
			"Beruht darauf, wie deutlich eine Spracherkennung dich verstanden hat, nicht auf den Lauten selbst.",
			"Ein Programm hat die Laute beurteilt: Es hört nicht wie eine Lehrkraft und kann sich irren.",
			"Ausgelassen: %s. Lies den Satz noch einmal.", "Statt dieser Wörter wurde etwas anderes verstanden: %s. Sprich sie noch einmal langsam.",
			"Sprich noch einmal langsam: %s. Das war schwer zu erkennen.", "Übe diese Laute: %s.",
			"Versuche, zwischen den Satzteilen zu pausieren und nicht mittendrin.", "Alles wurde erkannt. Versuche es etwas schneller.", ", ",
		}, language
	case "it":
		return phrasebook{
			"Si basa su quanto chiaramente un programma ti ha capito, non sui suoni stessi.",
			"Un programma ha giudicato i suoni: non è l’orecchio di un insegnante e può sbagliare.",
			"Hai saltato: %s. Rileggi la frase.", "È stata capita un’altra parola al posto di: %s. Ripetile lentamente.",
			"Ripeti lentamente: %s. Era difficile da riconoscere.", "Esercita questi suoni: %s.",
			"Prova a fare le pause tra una frase e l’altra, non al loro interno.", "È stato riconosciuto tutto. Prova un po’ più veloce.", ", ",
		}, language
	case "pt":
		return phrasebook{
			"Baseia-se na clareza com que um programa entendeu você, não nos sons em si.",
			"Um programa avaliou os sons: não é o ouvido de um professor e pode errar.",
			"Você pulou: %s. Leia a frase outra vez.", "Outra palavra foi entendida no lugar de: %s. Diga-as outra vez, devagar.",
			"Diga outra vez, devagar: %s. Foi difícil de reconhecer.", "Pratique estes sons: %s.",
			"Tente fazer as pausas entre as frases e não dentro delas.", "Tudo foi reconhecido. Tente um pouco mais rápido.", ", ",
		}, language
	}
	return furtherWords(language)
}

// furtherWords are the phrasebooks of other scripts, and English for all the rest.
func furtherWords(language string) (phrasebook, string) {
	switch language {
	case "ru":
		return phrasebook{
			"Основано на том, насколько уверенно вас поняла программа распознавания, а не на самих звуках.",
			"Звуки оценила программа: это не слух преподавателя, и она может ошибаться.",
			"Пропущено: %s. Прочитайте фразу ещё раз.", "Вместо этих слов понято другое: %s. Повторите их медленно.",
			"Повторите медленно: %s. Это было трудно распознать.", "Потренируйте эти звуки: %s.",
			"Старайтесь делать паузы между фразами, а не внутри них.", "Всё распознано. Попробуйте чуть быстрее.", ", ",
		}, language
	case "ar":
		return phrasebook{
			"يعتمد هذا على مدى وضوح فهم برنامج التعرف لك، لا على الأصوات نفسها.",
			"حكم برنامج على الأصوات: إنه ليس أذن معلّم وقد يخطئ.",
			"لم تُقرأ: %s. اقرأ الجملة مرة أخرى.", "فُهمت كلمة أخرى بدلًا من: %s. قلها مرة أخرى ببطء.",
			"قل مرة أخرى ببطء: %s. كان التعرف عليها صعبًا.", "تدرّب على هذه الأصوات: %s.",
			"حاول أن تتوقف بين الجمل لا في وسطها.", "تم التعرف على كل شيء. جرّب أسرع قليلًا.", "، ",
		}, language
	case "ja":
		return phrasebook{
			"音声認識がどれだけはっきり聞き取れたかに基づくもので、音そのものの評価ではありません。",
			"プログラムが音を評価しました。先生の耳ではないので、間違うこともあります。",
			"抜けた言葉：%s。もう一度読んでみましょう。", "別の言葉に聞こえました：%s。ゆっくりもう一度言ってみましょう。",
			"ゆっくりもう一度：%s。聞き取りにくいところでした。", "この音を練習しましょう：%s。",
			"文の途中ではなく、区切りで間を取ってみましょう。", "すべて聞き取れました。少し速く話してみましょう。", "、",
		}, language
	case "zh":
		return phrasebook{
			"依据的是语音识别听懂你的清晰程度，而不是发音本身。",
			"由程序评判发音：它不是老师的耳朵，也可能出错。",
			"漏读了：%s。请再读一遍。", "被听成了别的词：%s。请慢慢再说一遍。",
			"请慢慢再说一遍：%s。这里不容易听清。", "请练习这些音：%s。",
			"停顿请放在句子之间，不要放在句子中间。", "全部听懂了。可以试着说快一点。", "、",
		}, language
	case "ko":
		return phrasebook{
			"음성 인식이 얼마나 또렷하게 알아들었는지에 따른 것이며, 소리 자체에 대한 평가가 아닙니다.",
			"프로그램이 소리를 평가했습니다. 선생님의 귀가 아니므로 틀릴 수 있습니다.",
			"빠진 말: %s. 문장을 다시 읽어 보세요.", "다른 말로 들렸습니다: %s. 천천히 다시 말해 보세요.",
			"천천히 다시 말해 보세요: %s. 알아듣기 어려웠습니다.", "이 소리를 연습해 보세요: %s.",
			"문장 중간이 아니라 문장 사이에서 쉬어 보세요.", "모두 알아들었습니다. 조금 더 빠르게 해 보세요.", ", ",
		}, language
	}
	return phrasebook{
		"Based on how clearly a recogniser understood you, not on the sounds themselves.",
		"The sounds were judged by a program: it is not a teacher’s ear and can be wrong.",
		"You left out: %s. Read the sentence again.", "Another word was understood instead of: %s. Say them again, slowly.",
		"Say again, slowly: %s. It was hard to recognise.", "Practise these sounds: %s.",
		"Try to pause between phrases rather than within them.", "Everything was recognised. Try it a little faster.", ", ",
	}, "en"
}

// Caveat says what an assessment is not, in the learner's language.
func Caveat(basis learn.Basis, native string) string {
	book, _ := wordsFor(native)
	if basis == learn.AcousticBasis {
		return book.judged
	}
	return book.recognised
}

// suggestions are at most three sentences for the learner.
func suggestions(a learn.Assessment, native string) []learn.Suggestion {
	const most = 3
	book, language := wordsFor(native)
	out := []learn.Suggestion{}
	say := func(text string, words []string) {
		if len(out) < most {
			out = append(out, learn.Suggestion{Text: strings.ReplaceAll(text, "%s", strings.Join(words, book.comma)), Language: language})
		}
	}
	with := func(text string, words []string) {
		if len(words) > 0 {
			say(text, words)
		}
	}
	with(book.missing, some(a, func(w learn.AssessedWord) bool { return was(w, learn.WordOmission) }))
	with(book.swapped, some(a, func(w learn.AssessedWord) bool { return was(w, learn.WordSubstitution) }))
	with(book.unclear, some(a, func(w learn.AssessedWord) bool { return unclear(w) || was(w, learn.WordMispronounced) }))
	var sounds []string
	pauses := false
	for _, p := range a.ProblemAreas {
		if p.Kind == learn.ProblemSound {
			sounds = append(sounds, p.Value)
		}
		pauses = pauses || p.Kind == learn.ProblemPauses
	}
	with(book.sounds, sounds)
	if pauses {
		say(book.pauses, nil)
	}
	if len(out) == 0 && len(a.Words) > 0 && a.Mode == learn.Scripted && a.Scores.Recognition != nil {
		say(book.fine, nil)
	}
	return out
}

// some are the first words of an assessment of which something is true, each once.
func some(a learn.Assessment, which func(learn.AssessedWord) bool) (words []string) {
	const most = 5
	for _, w := range a.Words {
		if which(w) && len(words) < most && !slices.Contains(words, w.Word) {
			words = append(words, w.Word)
		}
	}
	return words
}

// primary is a tag's language: "es" of "es-MX".
func primary(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	return base
}
