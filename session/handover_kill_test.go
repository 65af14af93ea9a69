package session

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// lesson is a conversation on nodes that die.
type lesson struct {
	t      *testing.T
	ledger *ledger
	client *returner
	tutor  *stampTutor
	script []string

	node     *lostNode
	cancel   context.CancelCauseFunc
	result   chan *End
	kills    int
	again    func() // sees to the next death; or nil
	died     int    // at which write
	diedAt   time.Time
	survives bool // what a node keeps of it is there when the node has restarted
	// restarted: it could not be proven that the client has missed nothing
	restarted bool
	lost      bool // restarted at any time
}

// Letters are unlike at the beginnings of sentences, so that it can be told where one was begun anew.
var (
	lessonReplies = []string{
		"Hola y bienvenido. ¿De qué hablamos hoy?",
		"Muy bien. Ayer comí sopa de pescado. Fue en casa con mi madre. ¿Qué comes tú?",
		"Claro que sí. Nos vemos pronto.",
	}
	lessonWords = strings.Fields("quiero hablar de comida yo como arroz")
)

func newLesson(t *testing.T) *lesson {
	return &lesson{t: t, ledger: &ledger{}, tutor: &stampTutor{t: t, script: lessonReplies}, script: lessonReplies,
		client: &returner{words: lessonWords, lines: []int{4, 3}, done: map[string]bool{}, spoken: map[string]bool{}}}
}

// line makes a node's line, on which events are numbered from after seq, and which dies
// before a write.
func (l *lesson) line(seq uint64, dieAt int) *lostNode {
	return &lostNode{inputs: make(chan Input, 1<<14), over: make(chan struct{}), client: l.client, seq: seq, dieAt: dieAt}
}

// hold has a node hold the session on n, from what another has left if it is not the first.
func (l *lesson) hold(n *lostNode, p Params) {
	host := &Host{Deps: Deps{Recognizer: &stampRecognizer{l.client.words}, Tutor: l.tutor, Voice: stampVoice{},
		Journal: ledgerOf{l.ledger, n}, Log: slog.New(slog.DiscardHandler)}}
	p.Config = Config{ID: "vs_1", ConversationID: "c1", Language: "es", NativeLanguage: "en", Level: "B1",
		Audio: AudioConfig{Input: InputConfig{TurnDetection: &TurnDetection{Type: "patient", InterruptResponse: true}}}}
	p.Survives = l.survives
	ctx, cancel := context.WithCancelCause(context.Background())
	l.node, l.cancel, l.result = n, cancel, make(chan *End, 1)
	go func(result chan *End) { result <- host.Run(ctx, n, p) }(l.result)
}

// start begins the conversation.
func (l *lesson) start(dieAt int) {
	conversation, _ := l.ledger.takeOver()
	l.client.node = l.line(0, dieAt)
	l.hold(l.client.node, Params{Conversation: conversation})
}

// run goes on until all is said, and comes back after the node has died: to the state
// that was kept last, or so many before. A negative number means that all of them are lost.
func (l *lesson) run(away time.Duration, older int) {
	for range 6000 {
		l.client.awhile(20 * time.Millisecond)
		synctest.Wait()
		if l.client.away() {
			l.comeBack(away, older)
		}
		if l.client.isOver(5000) {
			break
		}
	}
	l.cancel(&End{Reason: EndNormal})
	<-l.result
}

// comeBack has the client take its session up on another node.
func (l *lesson) comeBack(away time.Duration, older int) {
	l.kills++
	dead := l.node
	l.died, l.diedAt = dead.writes, time.Now()
	l.client.mu.Lock()
	l.client.node = nil
	l.client.mu.Unlock()
	l.cancel(&End{Reason: EndGoingAway})
	<-l.result
	l.client.awhile(away)
	playback, last := l.client.leave()
	conversation, stored := l.ledger.takeOver()
	p := Params{Conversation: conversation, History: stored, Returning: true, Playback: playback}
	var response *ResumedResponse
	seq := last
	l.restarted = true
	if n := len(dead.states) - 1 - max(older, 0); n >= 0 && older >= 0 {
		var h Handover
		if err := json.Unmarshal(dead.states[n].data, &h); err != nil {
			l.t.Fatal(err)
		}
		h = h.Reconciled(stored)
		p.Handover, response = &h, h.GoOn(playback)
		l.restarted, seq = last > dead.states[n].seq, max(last, dead.states[n].seq)
		if l.restarted {
			h.ShownAnew(response)
		} else { // what the client has seen is the log
			for _, ev := range l.client.events {
				h.Shown(ev)
			}
		}
	}
	l.lost = l.lost || l.restarted && (response == nil || !response.Captions)
	next := l.line(seq, 0)
	l.client.comeBack(next, seq, response, l.restarted, stored)
	l.hold(next, p)
	if l.again != nil && l.kills < 6 {
		l.again()
	}
}

// blame says of a test that failed when its node died.
func (l *lesson) blame() {
	if l.t.Failed() {
		l.t.Logf("killed before write %d, at %v; restarted: %v", l.died, l.diedAt, l.restarted)
	}
}

// check looks at what was heard and what was stored. Of sentences repeats may be heard again.
func (l *lesson) check(repeats, calls int) {
	l.t.Helper()
	c := l.client
	if !c.isOver(5000) {
		l.t.Errorf("the conversation did not come to its end: %d lines, %d responses", c.line, len(c.responses))
	}
	l.checkStored()
	l.checkCaptions()
	again, err := heardOnce(c.heard(), l.script)
	if err != nil {
		l.t.Error(err)
	}
	if again > repeats {
		l.t.Errorf("%d sentences were heard again", again)
	}
	if again > 0 && !c.flagged {
		l.t.Error("a sentence was heard again, of which nobody had told")
	}
	if most := len(l.script) + calls; l.tutor.calls > most {
		l.t.Errorf("the tutor was asked %d times, want %d at the most", l.tutor.calls, most)
	}
	if n := len(c.spoken); !l.restarted && n != len(c.lines) {
		l.t.Errorf("%d lines were said, under %d ids", len(c.lines), n)
	}
	if len(c.problems) > 0 {
		l.t.Errorf("the client was told %q", c.problems)
	}
}

// checkCaptions compares what was shown of replies with what was said, if nothing of it was
// lost with a node.
func (l *lesson) checkCaptions() {
	l.t.Helper()
	if l.lost {
		return
	}
	for i, p := range l.client.responses {
		if p.cut || i >= len(l.script) {
			continue
		}
		if got := strings.TrimSpace(p.captioned()); got != l.script[i] {
			l.t.Errorf("the captions are %q, of %q", got, l.script[i])
		}
		if n := strings.Count(l.script[i], ".") + strings.Count(l.script[i], "?"); len(p.marks) != n {
			l.t.Errorf("%q has the marks %q", l.script[i], p.marks)
		}
		if strings.TrimSpace(p.caption) != l.script[i] {
			l.t.Errorf("the caption is %q in the end, of %q", p.caption, l.script[i])
		}
	}
}

// checkStored compares what is stored with what was said and heard.
func (l *lesson) checkStored() {
	l.t.Helper()
	var got, want []string
	for _, m := range l.ledger.messages {
		got = append(got, string(m.Speaker)+": "+m.Content)
		if m.Heard != m.Content && m.Speaker == learn.SpeakerTutor {
			l.t.Errorf("of %q %q counts as heard", m.Content, m.Heard)
		}
		// At a seam the silence between two sentences is not spoken again.
		long := len([]rune(m.Content)) * stampCharMS
		if ms := int(m.Audio.Milliseconds()); m.Speaker == learn.SpeakerTutor && ms != long && (ms > long || ms < long-stampCharMS*l.kills) {
			l.t.Errorf("%q counts as %d ms", m.Content, ms)
		}
		if !l.client.done[m.UtteranceID] {
			l.t.Errorf("%s %q is stored, and the client was not told", m.Speaker, m.Content)
		}
	}
	words := l.client.words
	for i, reply := range l.script {
		if want = append(want, string(learn.SpeakerTutor)+": "+reply); i < len(l.client.lines) {
			n := l.client.lines[i]
			want = append(want, string(learn.SpeakerLearner)+": "+strings.Join(words[:n], " "))
			words = words[n:]
		}
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		l.t.Errorf("stored %q, want %q", got, want)
	}
}

// heardOnce follows what was heard through the replies. It says how many sentences were
// begun anew, and whether anything was left out, or is none of it.
func heardOnce(heard string, replies []string) (again int, err error) {
	var text []rune
	var begins []int // of sentences, in text
	for _, reply := range replies {
		for from := 0; from < len(reply); {
			to := from + lastSentence(reply[from:][:strings.IndexAny(reply[from:], ".?")+1])
			begins = append(begins, len(text))
			text = append(text, []rune(strings.ReplaceAll(reply[from:to], " ", ""))...)
			from = to + len(reply[to:]) - len(strings.TrimLeft(reply[to:], " "))
		}
	}
	at := 0
	for i, r := range []rune(strings.ReplaceAll(heard, " ", "")) {
		if at < len(text) && text[at] == r {
			at++
			continue
		}
		sentence := 0
		for _, begin := range begins {
			if begin < at || begin == 0 {
				sentence = begin
			}
		}
		if text[sentence] != r {
			return again, fmt.Errorf("heard %q: what is not as it was said is at %d, after %q", heard, i, string(text[:at]))
		}
		again, at = again+1, sentence+1
	}
	if at < len(text) {
		return again, fmt.Errorf("heard %q: not heard is %q", heard, string(text[at:]))
	}
	return again, nil
}

// Nothing dies: the yardstick of the tests below.
func TestLesson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLesson(t)
		l.start(0)
		l.run(0, 0)
		l.check(0, 0)
		t.Logf("%d writes, %d states", l.node.writes, len(l.node.states))
	})
}

// killsOf is how often a test kills: KALAMI_KILLS, or as often as is quick.
func killsOf(t *testing.T, few int) int {
	text := os.Getenv("KALAMI_KILLS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A node dies before any of the things that it writes, and another goes on.
func TestKilledAtEveryEvent(t *testing.T) {
	for at := 2; ; at++ { // with the first write the client gets its token
		alive := false
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.start(at)
			l.run(time.Duration(at%5)*90*time.Millisecond, 0)
			l.check(1, 1)
			alive = l.kills == 0
		})
		if t.Failed() {
			t.Fatalf("killed at write %d", at)
		}
		if alive {
			t.Logf("%d kills", at-2)
			return
		}
	}
}

// A node dies at any moment.
func TestKilledAtAnyMoment(t *testing.T) {
	seed := uint64(5)
	rng := rand.New(rand.NewPCG(seed, 1))
	kills := 0
	for i := range killsOf(t, 25) {
		after, away := time.Duration(rng.IntN(22_000))*time.Millisecond, time.Duration(rng.IntN(500))*time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.start(0)
			time.AfterFunc(after, l.node.die)
			l.run(away, 0)
			l.check(1, 1)
			kills += l.kills
		})
		if t.Failed() {
			t.Fatalf("kill %d of seed %d: after %v, away for %v", i, seed, after, away)
		}
	}
	t.Logf("%d kills", kills)
}
