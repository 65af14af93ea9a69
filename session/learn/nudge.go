package learn

// What helps a learner who does not find an answer, and what a tutor is told to do
// about silence and about its contrary.

// openers are beginnings of answers that fit nearly every question, first for the
// levels A1 and A2, then for those above.
var openers = map[string][2][]string{
	"en": {{"I think…", "I like…", "For me, it is…"}, {"Well, it depends. If…", "On the one hand…", "What I mean is that…"}},
	"es": {{"Creo que…", "Me gusta…", "Para mí es…"}, {"Bueno, depende. Si…", "Por un lado…", "Lo que quiero decir es que…"}},
	"fr": {{"Je crois que…", "J'aime…", "Pour moi, c'est…"}, {"Eh bien, ça dépend. Si…", "D'un côté…", "Ce que je veux dire, c'est que…"}},
	"de": {{"Ich glaube, …", "Ich mag…", "Für mich ist das…"}, {"Also, es kommt darauf an. Wenn…", "Einerseits…", "Ich meine damit, dass…"}},
	"it": {{"Credo che…", "Mi piace…", "Per me è…"}, {"Beh, dipende. Se…", "Da un lato…", "Quello che voglio dire è che…"}},
	"pt": {{"Acho que…", "Gosto de…", "Para mim é…"}, {"Bem, depende. Se…", "Por um lado…", "O que quero dizer é que…"}},
	"ja": {{"私は…", "…が好きです。", "たぶん…"}, {"そうですね、場合によりますが…", "一方では…", "私が言いたいのは…"}},
	"ko": {{"저는…", "저는 …을/를 좋아해요.", "제 생각에는…"}, {"글쎄요, 경우에 따라…", "한편으로는…", "제가 말하고 싶은 것은…"}},
	"zh": {{"我觉得……", "我喜欢……", "对我来说……"}, {"这要看情况，如果……", "一方面……", "我的意思是……"}},
	"ar": {{"أعتقد أنّ…", "أحبّ…", "بالنسبة لي…"}, {"حسنًا، هذا يعتمد على…", "من ناحية…", "ما أقصده هو أنّ…"}},
	"ru": {{"Я думаю, что…", "Мне нравится…", "Для меня это…"}, {"Ну, смотря… Если…", "С одной стороны…", "Я хочу сказать, что…"}},
}

// Opener is the beginning of an answer in the language (a BCP-47 tag), to be shown to a
// learner of the level who does not find one: the n-th, so that it is not always the
// same. It is empty for a language that Kalami does not teach.
func Opener(language string, level Level, n int) string {
	l, ok := LanguageByCode(language)
	if !ok {
		return ""
	}
	of := openers[l.Code][0]
	if known(level) > A2 {
		of = openers[l.Code][1]
	}
	if len(of) == 0 {
		return ""
	}
	return of[max(n, 0)%len(of)]
}

// Rephrase is the note for saying the last question again to a learner who is silent.
func Rephrase() string {
	return "The learner has not answered. Say your last question again in simpler and fewer words, as kindly as if you had been " +
		"unclear. Ask nothing new and do not mention the silence."
}

// Offer is the note for helping a learner who is still silent.
func Offer() string {
	return "The learner still has not answered. Offer two short possible answers to your last question and ask which one it is, " +
		"so that repeating one of them is enough. Do not mention the silence."
}

// TakeTurn is the note for the answer to a learner who would not have stopped talking.
func TakeTurn() string {
	return "The learner has been talking for long, so you take the turn. Begin with one short, warm sentence that says you would like " +
		"to come in here. Pick a single thing of what was said and ask one question about it; leave out the rest."
}
