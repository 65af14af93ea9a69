package verify

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// memory is a database in memory.
type memory []Stored

func (m memory) Conversations(_ context.Context, ids []string, each func(Stored) error) error {
	for _, s := range m {
		if ids == nil || slices.Contains(ids, s.Conversation.ID) {
			if err := each(s); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	opener = "¡Hola! ¿Cómo estás? Cuéntame algo."
	spoken = "Estoy bien y fui a la playa."
	answer = "¡Qué bien! ¿Hacía sol? Me gusta el mar."
	typed  = "sí, mucho"
)

// trial is a conversation that went well, although its first node was killed: the second
// one answered what the learner had said to the first, was interrupted, and got a typed
// message.
type trial struct {
	records []Record
	stored  Stored
	at      time.Time
	logs    map[string]string
}

func goodTrial() *trial {
	t := &trial{at: time.Unix(1_700_000_000, 0).UTC(), logs: map[string]string{"node.log": "level=INFO msg=started\n"}}
	node1, node2, client := t.by("node-1"), t.by("node-2"), t.by("client")
	t.stored = Stored{Conversation: learn.Conversation{ID: "c1", TenantID: "t1", Status: "active", Epoch: 2, NextSeq: 5,
		Totals: learn.Totals{Turns: 2, Words: 9, BargeIns: 1}}, Analysed: []string{"m2"}}
	t.store(1, learn.Message{UtteranceID: "it_1", Speaker: learn.SpeakerTutor, Content: opener, Heard: opener})
	t.store(1, learn.Message{UtteranceID: "it_2", Speaker: learn.SpeakerLearner, Source: "voice", Content: spoken, Heard: spoken})
	t.store(2, learn.Message{UtteranceID: "it_3", Speaker: learn.SpeakerTutor, Content: answer, Heard: "¡Qué bien! ¿Hacía sol? Me", Interrupted: true})
	t.store(2, learn.Message{UtteranceID: "it_4", Speaker: learn.SpeakerLearner, Source: "text", Content: typed, Heard: typed})

	t.on("").by("node-2")(Counted{When: WhenStart, Goroutines: 20, Files: 9})
	node1(NodeStarted{}, TookOver{Epoch: 1, Session: "vs_1"})
	client(Connected{How: "created", Session: "vs_1", Tenant: "t1", Seq: 1},
		EventReceived{Seq: 2, Type: "response.created", Response: "r_1", Item: "it_1"},
		AudioReceived{Stream: 1, From: 0, Next: 30}, AudioReceived{Stream: 1, From: 30, Next: 61, Last: true},
		SentenceHeard{Response: "r_1", Item: "it_1", Mark: "s1", Text: TextOf("¡Hola!")},
		SentenceHeard{Response: "r_1", Item: "it_1", Mark: "s2", Text: TextOf("¡Hola! ¿Cómo estás?")},
		PlaybackOver{Response: "r_1", Item: "it_1", PlayedMS: 3000, Text: TextOf(opener)},
		EventReceived{Seq: 3, Type: "response.done", Response: "r_1"},
		MicSent{Stream: 1, From: 0, Next: 100}, Said{Stream: 1, From: 20, Next: 90, Text: TextOf(spoken)})
	node1(t.committed(0), MicTaken{Stream: 1, From: 0, Next: 60}, MicTaken{Stream: 1, From: 60, Next: 95}, t.committed(1))
	client(EventReceived{Seq: 4, Type: "conversation.item.done", Item: "it_2"}, Acknowledged{Item: "it_2", Text: TextOf(spoken)},
		MicAcked{Stream: 1, Seq: 89},
		EventReceived{Seq: 5, Type: "response.created", Response: "r_2", Item: "it_3"},
		AudioReceived{Stream: 2, From: 0, Next: 7},
		SentenceHeard{Response: "r_2", Item: "it_3", Mark: "s1", Text: TextOf("¡Qué bien!")},
		Closed{Code: 0})
	node2(TookOver{Epoch: 2, Session: "vs_1"})
	client(Connected{How: "resumed", Session: "vs_1", Tenant: "t1", Seq: 5, LastSeq: 5, Stream: 1, Next: 90, Response: "r_2", Action: "respeak", Repeat: true},
		MicSent{Stream: 1, From: 90, Next: 130, Again: true},
		EventReceived{Seq: 6, Type: "response.created", Response: "r_2", Item: "it_3"},
		AudioReceived{Stream: 3, From: 0, Next: 20},
		SentenceHeard{Response: "r_2", Item: "it_3", Mark: "s1", Text: TextOf("¡Qué bien! ¿Hacía sol?")},
		PlaybackOver{Response: "r_2", Item: "it_3", PlayedMS: 1200, Cut: true, Text: TextOf("¡Qué bien! ¿Hacía sol? Me")},
		EventReceived{Seq: 7, Type: "response.done", Response: "r_2"})
	node1(WriteRefused{Epoch: 1, Utterance: "it_3", Fenced: true}, SessionEnded{Epoch: 1, Session: "vs_1", Reason: "superseded"})
	node2(MicTaken{Stream: 1, From: 90, Next: 130}, t.committed(2), t.committed(3), Analysed{Message: "m2"})
	client(EventReceived{Seq: 8, Type: "conversation.item.done", Item: "it_4"}, Acknowledged{Item: "it_4", Text: TextOf(typed)},
		MicAcked{Stream: 1, Seq: 129}, Closed{Code: 1000})
	for range 20 {
		t.on("").by("node-2")(VendorCalled{Part: "llm", Vendor: "anthropic", Why: WhyTurn})
	}
	t.on("").by("node-2")(VendorCalled{Part: "llm", Vendor: "openai", Why: WhyHedge},
		Counted{When: WhenQuiet, Goroutines: 20, Files: 9})
	return t
}

// on returns the trial's hand that writes of a conversation.
func (t *trial) on(conversation string) hand { return hand{t, conversation} }

func (t *trial) by(name string) func(...Fact) { return t.on("c1").by(name) }

type hand struct {
	t            *trial
	conversation string
}

func (h hand) by(name string) func(...Fact) {
	return func(facts ...Fact) {
		for _, f := range facts {
			h.t.at = h.t.at.Add(100 * time.Millisecond)
			h.t.records = append(h.t.records, Record{By: name, At: h.t.at, Conversation: h.conversation, Fact: f})
		}
	}
}

// store stores a message in an epoch.
func (t *trial) store(epoch int64, m learn.Message) {
	m.Seq, m.TenantID = len(t.stored.Messages)+1, "t1"
	m.ID = "m" + string('0'+rune(m.Seq))
	t.stored.Messages = append(t.stored.Messages, StoredMessage{Message: m, Epoch: epoch})
}

// committed is what a node writes of a stored message.
func (t *trial) committed(i int) Committed {
	m := t.stored.Messages[i]
	return Committed{Epoch: m.Epoch, Utterance: m.UtteranceID, Seq: m.Seq, Speaker: string(m.Speaker), TookUS: 400,
		Text: TextOf(m.Content), Heard: TextOf(m.Heard)}
}

func (t *trial) evidence() Evidence {
	e := Evidence{Records: t.records, Database: memory{t.stored}, CloseCodes: []int{1000, 1012, 4409}, Canaries: []string{"sw0rdfish"}}
	for name, text := range t.logs {
		e.Logs = append(e.Logs, Log{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	}
	return e
}

func check(t *testing.T, e Evidence) *Report {
	t.Helper()
	r, err := Check(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A conversation that went well has no violations, with its database, without it, and by
// its database alone, as after a restore.
func TestGoodTrial(t *testing.T) {
	good := goodTrial()
	whole, history, database := good.evidence(), good.evidence(), good.evidence()
	history.Database, database.Records = nil, nil
	for name, e := range map[string]Evidence{"whole": whole, "history": history, "database": database} {
		r := check(t, e)
		if r.Count != 0 || r.Conversations != 1 {
			t.Errorf("%s: %d conversations, violations %+v", name, r.Conversations, r.Violations)
		}
	}
	r := check(t, whole)
	const want = "chaos trials=1 acknowledged=2 acknowledged_lost=0 duplicated=0 violations=0 seed=7"
	if got := r.Line("chaos", 1, "7"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if r.Records != len(good.records) || r.Writers != 3 || r.Messages != 4 {
		t.Errorf("%+v", r)
	}
}

// What learners say later that they have said is no loss of what was acknowledged then; and
// what was never acknowledged is none for being edited.
func TestEditedMessages(t *testing.T) {
	edit := func(t *trial, i int, text string) {
		m := &t.stored.Messages[i].Message
		m.Original, m.Content, m.Heard = m.Content, text, text
	}
	trial := goodTrial()
	edit(trial, 1, "Estoy bien; fui a Goa.")
	edit(trial, 3, "sí")
	trial.stored.Analysed = nil // to be analysed anew
	if r := check(t, trial.evidence()); r.Count != 0 {
		t.Errorf("violations %+v", r.Violations)
	}
	trial = goodTrial()
	edit(trial, 3, typed)
	trial.stored.Messages[3].Original = "no, poco"
	if r := check(t, trial.evidence()); r.Counts["I1"] != 1 || r.Count != 1 {
		t.Errorf("an edit hides what was lost: %+v", r.Violations)
	}
}

// What was heard of a reply that nobody knew of any more is void from the session.restarted
// on, be it the answer to a return, or replayed by the answer to a later one.
func TestHeardBeforeRestart(t *testing.T) {
	for how, told := range map[string][]Fact{
		"answered": {Connected{How: "restarted", Seq: 9, LastSeq: 8}},
		"replayed": {Connected{How: "resumed", Seq: 8, LastSeq: 8}, EventReceived{Seq: 9, Type: "session.restarted"}},
	} {
		trial := goodTrial()
		trial.stored.Conversation.EndReason = "normal"
		trial.by("client")(SentenceHeard{Response: "r_9", Item: "it_9", Mark: "s1", Text: TextOf("¡Adiós!")})
		trial.by("client")(told...)
		if r := check(t, trial.evidence()); r.Count != 0 {
			t.Errorf("%s: violations %+v", how, r.Violations)
		}
	}
}

// Every promise that is broken is found, under its own name and no other, at the record
// that shows it.
func TestViolationsAreFound(t *testing.T) {
	for _, tt := range violations() {
		t.Run(string(tt.want)+" "+tt.name, func(t *testing.T) {
			trial := goodTrial()
			tt.spoil(trial)
			r := check(t, trial.evidence())
			if r.Count == 0 || r.Counts[tt.want] != r.Count {
				t.Fatalf("found %v: %+v", r.Counts, r.Violations)
			}
			v := r.Violations[0]
			if !strings.Contains(v.What, tt.what) {
				t.Errorf("said %q, want it to contain %q", v.What, tt.what)
			}
			switch {
			case tt.kind == "" && v.At >= 0:
				t.Errorf("shown at %+v", v.Context[v.At])
			case tt.kind != "" && (v.At < 0 || v.Context[v.At].Fact.Kind() != tt.kind):
				t.Errorf("shown at %d of %+v, want a %s", v.At, v.Context, tt.kind)
			}
		})
	}
	found := map[Invariant]bool{}
	for _, tt := range violations() {
		found[tt.want] = true
	}
	for _, i := range invariants() {
		if !found[i.id] {
			t.Errorf("no test breaks %s: %s", i.id, i.says)
		}
	}
}

// Without a database the nodes' word stands for it.
func TestHistoryAloneShowsLoss(t *testing.T) {
	trial := goodTrial()
	trial.records = slices.DeleteFunc(trial.records, func(r Record) bool {
		c, ok := r.Fact.(Committed)
		return ok && c.Utterance == "it_4"
	})
	e := trial.evidence()
	e.Database = nil
	if r := check(t, e); r.Lost != 1 || r.Counts["I1"] != 1 || r.Count != 1 {
		t.Errorf("%+v", r)
	}
}

// What a violation prints is what somebody needs to look for its cause.
func TestPrint(t *testing.T) {
	trial := goodTrial()
	trial.stored.Messages = trial.stored.Messages[:3]
	trial.stored.Conversation.NextSeq, trial.stored.Conversation.Totals = 4, learn.Totals{Turns: 1, Words: 7, BargeIns: 1}
	e := trial.evidence()
	e.Around = 2
	var out strings.Builder
	if err := check(t, e).Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"I1 violated: no acknowledged utterance is lost\n  conversation c1\n  item it_4 was acknowledged and is not stored\n",
		`>>> 22:13:`, `"kind":"acknowledged","data":{"item":"it_4","words":2`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), `{"v":1`); n != 5 {
		t.Errorf("%d records shown, want 5:\n%s", n, out.String())
	}
}

// A check that cannot be made is an error, not a clean bill.
func TestCheckFails(t *testing.T) {
	broken := errors.New("broken")
	e := goodTrial().evidence()
	e.Logs = []Log{{Name: "gone.log", Open: func() (io.ReadCloser, error) { return nil, broken }}}
	if _, err := Check(t.Context(), e); !errors.Is(err, broken) || !strings.Contains(err.Error(), "gone.log") {
		t.Errorf("error %v", err)
	}
	e = goodTrial().evidence()
	e.Database = brokenDatabase{broken}
	if _, err := Check(t.Context(), e); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type brokenDatabase struct{ err error }

func (b brokenDatabase) Conversations(context.Context, []string, func(Stored) error) error {
	return b.err
}

// Reports of several trials add up, and keep no more violations than one.
func TestReportsAddUp(t *testing.T) {
	sum := &Report{}
	for range 60 {
		trial := goodTrial()
		trial.by("client")(CanarySeen{Of: "t2"}, CanarySeen{Of: "t3"})
		sum.Add(check(t, trial.evidence()))
	}
	if sum.Count != 120 || sum.Counts["I5"] != 120 || len(sum.Violations) != maxViolations || sum.Acknowledged != 120 || sum.Conversations != 60 {
		t.Errorf("%+v", sum.Counts)
	}
}
