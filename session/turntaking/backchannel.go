package turntaking

import (
	"slices"
	"strings"
	"unicode"

	"kalami/session/learn"
)

// backchannels are sounds and words for yes by which a listener says "go on": they
// neither interrupt the tutor nor make a turn while it speaks. All languages share one
// set, because beginners answer in their own.
var backchannels = learn.WordSet("mhm mm mmm hm hmm uh huh ah aha oh ok okay yes yeah yep right sure sí si vale claro ya ajá oui ouais d'accord ja genau gut stimmt sì va bene sim tá certo pois はい うん ええ はいはい うんうん ええええ そう そうそう 네 네네 응 응응 嗯 嗯嗯 对 对对 对对对 好 好的 是 是的 да угу ага так نعم")

// continuers are other words by which a listener goes along, but which answer no question.
var continuers = learn.WordSet(`
	mmmm hmmm mmhm mmhmm uhhuh ahh aha ahá ohh ooh wow okey yup exactly really good great nice cool super
	exacto entiendo bien bueno genial perfecto mouais voilà exact parfait jaja jo klar achso ach super perfekt
	già esatto capito bene perfetto isso claro entendi perfeito
	ふん ふうん へえ ほう なるほど そうですか そうですね ああ おお 예 어 음 그래 그래요 맞아 맞아요 그렇군요 아
	哦 噢 啊 行 明白 知道了 ну понятно ясно хорошо أجل أيوه ايوه اه آه طيب تمام حسنا`)

// backPhrases are the same in several words, none of which need be one alone.
var backPhrases = phrases(`
	i see, got it, all right, of course, that's right, uh huh, mm hm, mm hmm, oh yes, oh okay;
	por supuesto, de acuerdo, ah sí, muy bien, está bien, ya veo;
	d'accord, bien sûr, tout à fait, je vois, ah bon, ah oui, c'est ça, très bien;
	alles klar, ach so, na klar, ja genau, sehr gut, verstehe ich, ich verstehe;
	va bene, ho capito, d'accordo, molto bene, ah sì;
	tá bom, tá certo, está bem, com certeza, pois é, muito bem;
	ну да, я понимаю;
	알겠어요, 알겠습니다, 그렇구나;
	我知道, 我明白;
	بالطبع, نعم نعم`)

// stops are what a listener says who wants the tutor to stop: one of them stops it
// wherever it stands in what was heard, and however little else was.
var stops = phrases(`
	stop, wait, pause, hold on, hang on, one moment, one second, just a moment, just a second, enough, be quiet, shut up, excuse me;
	espera, espere, esperen, esperad, espérate, espérese, alto, basta, para para, para por favor, pare, pare por favor, detente, cállate,
	un momento, momento, un momentito, momentito, un segundo, un segundito, perdón, perdona, perdone, disculpa, disculpe;
	attends, attendez, attend, arrête, arrêtez, arrete, stoppe, un instant, un moment, une minute, une seconde, minute, ça suffit, tais toi, excusez moi, pardon;
	warte, warten, wart, wartet, stopp, halt, moment, moment mal, einen moment, einen augenblick, augenblick, eine sekunde, aufhören, hör auf, genug, langsam, entschuldigung;
	aspetta, aspetti, aspettate, aspetta un attimo, ferma, fermati, fermo, fermi, si fermi, un attimo, attimo, un secondo, smettila, scusa, scusi;
	calma, espera aí, um momento, um instante, um segundo, um minuto, para aí, chega, desculpa, desculpe;
	стой, стойте, подожди, подождите, погоди, погодите, стоп, хватит, минутку, минуту, секунду, секундочку, одну минуту, извини, извините;
	待って, まって, 待った, ストップ, やめて, 止めて, とめて, ちょっと, すみません;
	잠깐, 잠깐만, 잠깐만요, 잠시만, 잠시만요, 기다려, 기다려요, 기다려 주세요, 기다려주세요, 기다리세요, 멈춰, 멈춰요, 멈추세요, 그만, 그만요, 스톱, 스탑;
	等等, 等一下, 等一等, 等会儿, 停, 停一下, 停下, 慢着, 且慢, 稍等, 打住, 别说了, 慢一点;
	انتظر, انتظري, انتظروا, إنتظر, توقف, توقفي, قف, قفي, لحظة, دقيقة, مهلا, كفى, اسكت, عفوا`)

// stopsAlone mean the same when nothing else is said; within a sentence they are
// other words.
var stopsAlone = phrases(`no, nein, non, nao, нет, para, silence, ruhe, doucement, despacio, slowly, ちがう, 아니, 아니요, 不, لا`)

// phrases parses sequences of words, divided by commas and semicolons, into folded
// units; the longest first, so that the first that fits is the whole of it.
func phrases(list string) [][]string {
	var out [][]string
	for p := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ';' }) {
		if p := fold(p); len(p) > 0 {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b []string) int { return len(b) - len(a) })
	return out
}

// backUnits are all back-channels as folded units, the longest first.
var backUnits = func() [][]string {
	out := slices.Clone(backPhrases)
	for _, set := range []map[string]bool{backchannels, continuers} {
		for w := range set {
			out = append(out, fold(w))
		}
	}
	slices.SortFunc(out, func(a, b []string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return slices.Compare(a, b)
	})
	return out
}()

// longestAt returns how many of units the first of phrases takes that begins at i; 0 for none.
func longestAt(phrases [][]string, units []string, i int) int {
	for _, p := range phrases {
		if len(p) <= len(units)-i && slices.Equal(p, units[i:i+len(p)]) {
			return len(p)
		}
	}
	return 0
}

// accents are letters that recognisers and learners write one way or the other.
var accents = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ä", "a", "ã", "a", "å", "a", "é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ì", "i", "î", "i", "ï", "i", "ó", "o", "ò", "o", "ô", "o", "ö", "o", "õ", "o", "ú", "u", "ù", "u", "û", "u", "ü", "u",
	"ñ", "n", "ç", "c", "ß", "ss", "ё", "е", "й", "и", "’", "'", "أ", "ا", "إ", "ا", "آ", "ا", "ى", "ي", "ة", "ه")

// fold splits text into units as they are compared here: lower case, without accents;
// an apostrophe divides, since some recognisers leave it out and some the letter.
func fold(text string) []string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	text = accents.Replace(text)
	return learn.Units(learn.Words(strings.ReplaceAll(text, "'", " ")))
}
