package session

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"kalami/providers"
	"kalami/session/learn"
)

// A barge-in script: 50 conversations of 10 interruptions each, in five languages.
const (
	bargeTalks = 50
	bargeEach  = 10
	bargeSeed  = 2024
)

// bargeTongue is a language with what the tutor says in it and how it is interrupted.
type bargeTongue struct {
	language string
	replies  []string
	stops    []string
}

var bargeTongues = []bargeTongue{
	{"es", []string{longMenu, "Muy bien. ¿Y usted?", "Ayer fui a la playa con mi familia; comimos paella, nadamos un rato y volvimos tarde a casa.",
		"Claro que sí, señora. Son 3,50 euros, por favor."}, []string{"Un momento, por favor", "Espere", "Otra pregunta distinta"}},
	{"en", []string{"I see. Well, that sounds like a wonderful trip! Did you go there by train, or did your brother's friend drive you?", "Good.",
		"It's half past eight, so we should leave now; otherwise the shops, which close early, will be shut."}, []string{"wait", "sorry another question", "hold on please"}},
	{"fr", []string{"Bien sûr ! Aujourd'hui, nous avons de la soupe à l'oignon, du poulet rôti et une tarte aux pommes. Qu'est-ce que vous prenez ?",
		"C'est parfait."}, []string{"attendez", "une autre question", "arrêtez s'il vous plaît"}},
	{"de", []string{"Schön, dass Sie da sind. Möchten Sie ein Einzelzimmer oder lieber ein Doppelzimmer mit Frühstück und Blick auf den Fluss?",
		"Gern geschehen!"}, []string{"warte", "noch eine Frage", "einen Moment bitte"}},
	{"ja", []string{"今日はスープと魚があります。それから、とても新しい野菜のサラダもおすすめです。何を食べますか？", "はい、わかりました。",
		"昨日は友だちと京都へ行って、古いお寺を見ました。楽しかったです。"}, []string{"ちょっと待って", "すみません別の質問です", "もう一度お願いします"}},
}

// barged is one interruption and what became of it.
type barged struct {
	text, told, stored, truth string
	estimate                  bool
	early, late               bool
}

func (b barged) exact() bool { return b.told == b.truth && b.stored == b.truth }

// Heard to the word: 500 interruptions at random moments of replies of all lengths,
// before their first sample and after their last one too, with 0 to 200 ms of jitter in
// every report of the client. What the learner is told to have heard, and what is
// stored, is compared with what the loudspeaker has really rendered: a word counts when
// it was rendered to its end, but for its last 20 ms.
func TestHeardToTheWord(t *testing.T) {
	var all []barged
	for talk := range bargeTalks {
		synctest.Test(t, func(t *testing.T) { all = append(all, bargeIn(t, uint64(talk))...) })
	}
	exact, early, late, estimates := 0, 0, 0, 0
	for _, b := range all {
		switch {
		case b.exact():
			exact++
		default:
			t.Logf("of %q: told %q, stored %q, truth %q", b.text, b.told, b.stored, b.truth)
		}
		for n, is := range map[*int]bool{&early: b.early, &late: b.late, &estimates: b.estimate} {
			if is {
				*n++
			}
		}
	}
	percent := 100 * float64(exact) / float64(len(all))
	t.Logf("bargein count=%d exact_percent=%.1f before_first_sample=%d after_last=%d by_estimate=%d jitter_ms=0-200 slack_ms=20",
		len(all), percent, early, late, estimates)
	if len(all) != bargeTalks*bargeEach || percent < 99 {
		t.Errorf("%d interruptions, %.1f %% of them exact", len(all), percent)
	}
	if early < 20 || late < 20 || len(all)-early-late < 300 {
		t.Errorf("the script is lopsided: %d before the first sample, %d after the last", early, late)
	}
}

// bargeIn holds one conversation of the script.
func bargeIn(t *testing.T, number uint64) (all []barged) {
	rng := rand.New(rand.NewPCG(bargeSeed, number))
	tongue := bargeTongues[number%uint64(len(bargeTongues))]
	k, s := newTalk(t), &speaker{buffer: time.Duration(rng.IntN(200)) * time.Millisecond, jitter: upTo(200*time.Millisecond, number)}
	k.params.Config.Language = tongue.language
	k.tutor.replies = append(k.tutor.replies, tongue.replies[len(tongue.replies)-1])
	for range bargeEach {
		k.tutor.replies = append(k.tutor.replies, tongue.replies[rng.IntN(len(tongue.replies))])
	}
	texts := k.tutor.replies
	k.listen(s)
	k.start()
	k.greeted()
	for i := 1; i <= bargeEach; i++ {
		k.send(CreateItem{Text: "…?"})
		k.until("an answer is made", func() bool { return len(eventsOf[ResponseCreated](k.conn)) == i+1 })
		k.reach(rng, s, i, texts[i])
		said := k.bargeOnce(rng, tongue)
		k.over(i)
		all = append(all, k.outcome(s, i, texts[i]))
		k.hear(providers.HeardEnd, said)
		k.send(ClearInput{}) // the next answer is to what is typed
		k.mic(200, false)
	}
	k.finish()
	for i := range all { // what was stored last is there now
		all[i].stored = k.storedOf(i + 1)
	}
	return all
}

// reach waits for the moment of an interruption: now and then before the reply is heard
// or after it was, else anywhere in it.
func (k *talk) reach(rng *rand.Rand, s *speaker, i int, text string) {
	length := float64(len([]rune(text)) * fakeCharMS)
	at := rng.Float64() * length
	switch rng.IntN(10) {
	case 0:
		time.Sleep(time.Duration(rng.IntN(120)) * time.Millisecond)
		return
	case 1:
		at = length
	}
	k.until("the moment comes", func() bool { return s.response(i).playedMS() >= at })
	time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
}

// bargeOnce interrupts: by words, with or without a voice before them, or by the button. It
// returns the words.
func (k *talk) bargeOnce(rng *rand.Rand, tongue bargeTongue) string {
	said := tongue.stops[rng.IntN(len(tongue.stops))]
	switch rng.IntN(4) {
	case 0:
		k.send(CancelResponse{})
	case 1:
		k.hear(providers.HeardUpdate, said)
	default:
		k.mic(100+20*rng.IntN(30), true)
		k.hear(providers.HeardUpdate, said)
	}
	return said
}

// outcome is what the i-th reply ended as, and the truth about it.
func (k *talk) outcome(s *speaker, i int, text string) barged {
	b, n := barged{text: text}, s.response(i)
	done := eventsOf[ResponseDone](k.conn)[i]
	b.told = text // a reply that nobody cut was heard
	for _, cut := range eventsOf[Truncated](k.conn) {
		if cut.ItemID == done.Response.ItemID {
			b.told, b.estimate = cut.Transcript, cut.Source == "estimate"
		}
	}
	played := n.playedMS()
	b.truth = heardBy(text, played)
	b.early, b.late = played == 0, len(n.rendered) > 0 && n.complete && len(n.rendered) == len(n.pcm)
	return b
}

// storedOf is what the i-th reply's message says was heard; empty when there is none.
func (k *talk) storedOf(i int) string {
	item := eventsOf[ResponseDone](k.conn)[i].Response.ItemID
	for _, m := range k.journal.stored() {
		if m.UtteranceID == item {
			return m.Heard
		}
	}
	return ""
}

// heardBy is the truth: the words of a text that the fake voice has spoken to their end,
// but for 20 ms, by ms. In Japanese every character is a word.
func heardBy(text string, ms float64) string {
	const slack = 20
	runes, end := []rune(text), 0
	for i, r := range runes {
		ends := i == len(runes)-1 || unicode.IsSpace(runes[i+1]) || learn.Wide(r) || learn.Wide(runes[i+1])
		if ends && !unicode.IsSpace(r) && float64((i+1)*fakeCharMS) <= ms+slack {
			end = i + 1
		}
	}
	return strings.TrimSpace(string(runes[:end]))
}
