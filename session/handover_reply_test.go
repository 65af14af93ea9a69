package session

import (
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
)

// begun is a reply of three sentences, of 1, 2 and 3 seconds, all of which is known.
func begun() OpenReply {
	return OpenReply{ResponseID: "r_1", ItemID: "it_2", PrevItemID: "it_1", Stream: 4, Text: "Muy bien. ¿Y qué comiste? Yo comí sopa.", Complete: true,
		Sentences: []SpokenSentence{{To: 10, EndMS: 1000}, {To: 28, EndMS: 3000}, {To: 42, EndMS: 6000}}, SentMS: 6000}
}

// Where the two halves of a reply meet, for every state in which its node may die.
func TestGoOn(t *testing.T) {
	at := func(played, buffered float64) *PlaybackState {
		return &PlaybackState{ResponseID: "r_1", PlayedMS: played, BufferedMS: buffered}
	}
	respeak := func(from int64, repeat bool) *ResumedResponse {
		return &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionRespeak, AudioEndMS: from, Repeat: repeat}
	}
	for name, c := range map[string]struct {
		state    func(*OpenReply)
		playback *PlaybackState
		want     *ResumedResponse
		kept     string // of the text
		spoken   string // of it, again
	}{
		"only owed":        {state: func(o *OpenReply) { *o = OpenReply{} }},
		"nothing produced": {state: func(o *OpenReply) { o.Text, o.Sentences, o.Complete, o.SentMS = "", nil, false, 0 }, want: respeak(0, false)},
		"a clause, no sentence": {state: func(o *OpenReply) { o.Text, o.Sentences, o.Complete, o.SentMS = "Muy ", nil, false, 400 },
			playback: at(300, 100), want: respeak(0, true)},
		"nothing played":                {state: func(*OpenReply) {}, want: respeak(0, false), kept: begun().Text, spoken: begun().Text},
		"in the first":                  {state: func(*OpenReply) {}, playback: at(500, 400), want: respeak(0, true), kept: begun().Text, spoken: begun().Text},
		"the first is whole at home":    {state: func(*OpenReply) {}, playback: at(500, 500), want: respeak(1000, false), kept: begun().Text, spoken: "¿Y qué comiste? Yo comí sopa."},
		"it holds some of the next":     {state: func(*OpenReply) {}, playback: at(500, 900), want: respeak(1000, true), kept: begun().Text, spoken: "¿Y qué comiste? Yo comí sopa."},
		"but will not reach it":         {state: func(*OpenReply) {}, playback: at(1500, 1600), want: respeak(3000, false), kept: begun().Text, spoken: "Yo comí sopa."},
		"all but the end":               {state: func(*OpenReply) {}, playback: at(5000, 999), want: respeak(3000, true), kept: begun().Text, spoken: "Yo comí sopa."},
		"all of it":                     {state: func(*OpenReply) {}, playback: at(5000, 1000), want: &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionContinue, AudioEndMS: 6000}, kept: begun().Text},
		"the tutor was to say more":     {state: func(o *OpenReply) { o.Complete = false }, playback: at(5000, 1000), want: respeak(6000, false), kept: begun().Text},
		"in mid-sentence":               {state: func(o *OpenReply) { o.Text, o.Sentences, o.Complete = "Muy bien. ¿Y qué ", o.Sentences[:1], false }, playback: at(1200, 300), want: respeak(1000, true), kept: "Muy bien. "},
		"produced, but not spoken":      {state: func(o *OpenReply) { o.Sentences, o.Complete = o.Sentences[:1], false }, playback: at(900, 100), want: respeak(1000, false), kept: begun().Text, spoken: "¿Y qué comiste? Yo comí sopa."},
		"an empty player":               {state: func(o *OpenReply) { o.PlayedMS = 1100 }, want: respeak(1000, true), kept: begun().Text, spoken: "¿Y qué comiste? Yo comí sopa."},
		"a player of something else":    {state: func(o *OpenReply) { o.PlayedMS = 0 }, playback: &PlaybackState{ResponseID: "r_0", PlayedMS: 9000}, want: respeak(0, false), kept: begun().Text, spoken: begun().Text},
		"interrupted":                   {state: func(o *OpenReply) { o.Interrupted, o.PlayedMS, o.SentMS = "turn_detected", 1300, 2400 }, playback: at(1450, 0), want: &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionTruncated, AudioEndMS: 1450}, kept: begun().Text},
		"interrupted, and it plays on":  {state: func(o *OpenReply) { o.Interrupted, o.PlayedMS, o.SentMS = "turn_detected", 1300, 2400 }, playback: at(1450, 900), want: &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionContinue, AudioEndMS: 1450}, kept: begun().Text},
		"interrupted, and nobody knows": {state: func(o *OpenReply) { o.Interrupted, o.PlayedMS, o.SentMS = "turn_detected", 1300, 2400 }, want: &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionTruncated, AudioEndMS: 1300}, kept: begun().Text},
		"interrupted, and it boasts":    {state: func(o *OpenReply) { o.Interrupted, o.PlayedMS, o.SentMS = "turn_detected", 1300, 2400 }, playback: at(1e300, 1e300), want: &ResumedResponse{ID: "r_1", ItemID: "it_2", Action: ActionTruncated, AudioEndMS: 2400}, kept: begun().Text},
	} {
		t.Run(name, func(t *testing.T) {
			o := begun()
			c.state(&o)
			got := Handover{SessionID: "vs_1", Reply: &o}.GoOn(c.playback)
			if got == nil || c.want == nil {
				if got != nil || c.want != nil {
					t.Fatalf("got %+v, want %+v", got, c.want)
				}
				return
			}
			if *got != *c.want {
				t.Errorf("got %+v, want %+v", *got, *c.want)
			}
			s := o.seam(c.playback)
			if o.Text[:s.kept] != c.kept || o.Text[s.text:s.kept] != c.spoken {
				t.Errorf("kept %q, of which %q is spoken; want %q and %q", o.Text[:s.kept], o.Text[s.text:s.kept], c.kept, c.spoken)
			}
		})
	}
	o := begun()
	stored := learn.Message{Speaker: learn.SpeakerTutor, UtteranceID: "it_2", Interrupted: true, Audio: 1200 * time.Millisecond}
	cut := Handover{SessionID: "vs_1", Reply: &o}.Reconciled([]learn.Message{stored})
	if got := cut.GoOn(at(1300, 200)); got == nil || got.Action != ActionTruncated || got.AudioEndMS != 1200 {
		t.Errorf("what was stored as interrupted goes on as %+v", got)
	}
	if got := (Handover{}).GoOn(at(1, 1)); got != nil {
		t.Errorf("there is no reply, and %+v", got)
	}
}

// A client that was not reached by the answer to its last return plays on in the stream that
// it knows: what it has beyond the new one's beginning is spoken again, as often as it comes.
func TestCounted(t *testing.T) {
	o := begun()
	o.FromMS, o.Announced = 1000, 50
	h := Handover{SessionID: "vs_1", Reply: &o}
	at := func(played, buffered float64) PlaybackState {
		return PlaybackState{ResponseID: "r_1", PlayedMS: played, BufferedMS: buffered}
	}
	for name, c := range map[string]struct {
		played  PlaybackState
		lastSeq uint64
		want    PlaybackState
	}{
		"aware":              {at(2600, 500), 50, at(2600, 500)},
		"unaware":            {at(2600, 500), 49, at(1000, 0)},
		"has more":           {at(800, 900), 49, at(800, 200)},
		"has less":           {at(500, 100), 49, at(500, 100)},
		"without sense":      {at(math.NaN(), math.Inf(1)), 49, at(0, 1000)},
		"another response's": {PlaybackState{ResponseID: "r_0", PlayedMS: 9000}, 49, PlaybackState{ResponseID: "r_0", PlayedMS: 9000}},
	} {
		if got := h.Counted(&c.played, c.lastSeq); *got != c.want {
			t.Errorf("%s: %+v counts as %+v, want %+v", name, c.played, *got, c.want)
		}
	}
	unaware := at(2900, 400) // its second sentence was longer than the one spoken since
	if got := h.GoOn(h.Counted(&unaware, 49)); got.AudioEndMS != 1000 {
		t.Errorf("it goes on at %d ms, where another voice has said the sentence", got.AudioEndMS)
	}
	if h.Counted(nil, 49) != nil {
		t.Error("an empty player has played something")
	}
}

// Wherever a reply is cut: what the client plays and what is spoken again hold every
// sentence once, but for the one being played, which is flagged; and there is no hole.
func TestGoOnHoldsEverySentenceOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "sentences")
		o := OpenReply{ResponseID: "r_1", Complete: rapid.Bool().Draw(t, "complete")}
		var ends []SpokenSentence
		ms := 0
		for range n {
			o.Text += strings.Repeat("sí ", rapid.IntRange(1, 5).Draw(t, "words")) + "ya. "
			ms += rapid.IntRange(1, 4000).Draw(t, "ms")
			ends = append(ends, SpokenSentence{To: len(o.Text), EndMS: ms})
		}
		placed := rapid.IntRange(0, n).Draw(t, "placed")
		o.Sentences = ends[:placed]
		most := ends[min(placed, n-1)].EndMS // of the next sentence all but the end may be there
		if placed < n {
			most--
		}
		o.SentMS = rapid.IntRange(0, most).Draw(t, "sent")
		has := rapid.IntRange(0, o.SentMS).Draw(t, "arrived")
		played := rapid.IntRange(0, has).Draw(t, "played")
		if !o.Complete { // the tutor was cut off in mid-sentence
			o.Text += rapid.SampledFrom([]string{"", "y "}).Draw(t, "tail")
		}
		s := o.seam(&PlaybackState{ResponseID: "r_1", PlayedMS: float64(played), BufferedMS: float64(has - played)})
		if s.audioMS > has {
			t.Fatalf("a hole: it holds %d ms, and is to go on at %d", has, s.audioMS)
		}
		if s.text != 0 && ends[s.sentences-1] != (SpokenSentence{To: s.text, EndMS: s.audioMS}) || s.text == 0 && s.audioMS != 0 {
			t.Fatalf("the seam %+v is within a sentence of %+v", s, ends)
		}
		if s.kept < ends[n-1].To {
			t.Fatalf("the last sentence is lost: kept %d of %d bytes", s.kept, len(o.Text))
		}
		if s.sentences < n && ends[s.sentences].EndMS <= has && s.sentences < placed {
			t.Fatalf("sentence %d is whole at home and would be heard twice", s.sentences)
		}
		if played > s.audioMS && !s.repeat {
			t.Fatal("a sentence that had begun is not flagged")
		}
		if s.action == ActionContinue && (!o.Complete || has < ends[n-1].EndMS) {
			t.Fatal("nothing is spoken, but there is more")
		}
		if s.playedMS > float64(s.audioMS) {
			t.Fatalf("played %v of %d ms", s.playedMS, s.audioMS)
		}
		line := o.line(s)
		if heard, _ := line.heard(s.audioMS); heard != strings.TrimSpace(o.Text[:s.text]) {
			t.Fatalf("of %q %q would count as heard", o.Text[:s.text], heard)
		}
	})
}

// What is stored is not pending, open or under way any more; what the state did not live
// to see makes void what it overtook, and is answered.
func TestReconciled(t *testing.T) {
	message := func(speaker learn.Speaker, id string) learn.Message {
		return learn.Message{Speaker: speaker, UtteranceID: id, Content: id}
	}
	u1, a1 := message(learn.SpeakerLearner, "u1"), message(learn.SpeakerTutor, "a1")
	u2, a2 := message(learn.SpeakerLearner, "u2"), message(learn.SpeakerTutor, "a2")
	// The tutor answers u2, which is on its way to the store.
	answering := Handover{SessionID: "vs_1", PrevItemID: "u2", LastMessage: "u2", Turns: 2, Pending: []learn.Message{a1, u2},
		Reply: &OpenReply{ResponseID: "r_2", ItemID: "a2", PrevItemID: "u2"}}
	speaking := Handover{SessionID: "vs_1", PrevItemID: "u1", LastMessage: "u1", Turns: 1,
		Utterance: &OpenUtterance{ItemID: "u2"}, Reply: &OpenReply{ResponseID: "r_1", ItemID: "a1", PrevItemID: "u1"}}
	cancelled := Handover{SessionID: "vs_1", PrevItemID: "u1", LastMessage: "u1", Turns: 1}
	for name, c := range map[string]struct {
		state                                     Handover
		history                                   []learn.Message
		reply, utterance, pending, untold, latest string
		turns                                     int
	}{
		"nothing was stored":              {state: answering, history: []learn.Message{u1}, reply: "a2", pending: "a1 u2", latest: "u2", turns: 2},
		"one of two":                      {state: answering, history: []learn.Message{u1, a1}, reply: "a2", pending: "u2", untold: "a1", latest: "u2", turns: 2},
		"both":                            {state: answering, history: []learn.Message{u1, a1, u2}, reply: "a2", untold: "a1 u2", latest: "u2", turns: 2},
		"and the answer":                  {state: answering, history: []learn.Message{u1, a1, u2, a2}, untold: "a1 u2 a2", latest: "a2", turns: 2},
		"as it was":                       {state: speaking, history: []learn.Message{u1}, reply: "a1", utterance: "u2", latest: "u1", turns: 1},
		"the reply was heard":             {state: speaking, history: []learn.Message{u1, a1}, utterance: "u2", untold: "a1", latest: "a1", turns: 1},
		"and the learner has spoken":      {state: speaking, history: []learn.Message{u1, a1, u2}, reply: "owed", untold: "a1 u2", latest: "u2", turns: 2},
		"the reply came to nothing":       {state: speaking, history: []learn.Message{u1, u2}, reply: "owed", untold: "u2", latest: "u2", turns: 2},
		"the learner stopped the answer":  {state: cancelled, history: []learn.Message{u1}, latest: "u1", turns: 1},
		"no mirror, the learner was last": {history: []learn.Message{a1, u2}, reply: "owed", latest: "u2"},
		"no mirror, the tutor was last":   {history: []learn.Message{u1, a1}, latest: "a1"},
		"no mirror, nothing was said":     {},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.state.Reconciled(c.history)
			for range 2 { // and again
				reply, utterance := "", ""
				if h.Reply != nil {
					reply = cmpOr(h.Reply.ItemID, "owed")
				}
				if h.Utterance != nil {
					utterance = h.Utterance.ItemID
				}
				if reply != c.reply || utterance != c.utterance || idsOf(h.Pending) != c.pending || idsOf(h.untold) != c.untold ||
					h.LastMessage != c.latest || h.Turns != c.turns || h.PrevItemID != c.latest {
					t.Errorf("reply %q, utterance %q, pending %q, untold %q, latest %q after %q, turns %d",
						reply, utterance, idsOf(h.Pending), idsOf(h.untold), h.LastMessage, h.PrevItemID, h.Turns)
				}
				h = h.Reconciled(c.history)
			}
		})
	}
}

func idsOf(messages []learn.Message) string {
	var ids []string
	for _, m := range messages {
		ids = append(ids, m.UtteranceID)
	}
	return strings.Join(ids, " ")
}

// Whatever was kept, a session can be restored from it.
func FuzzHandover(f *testing.F) {
	whole, err := json.Marshal(Handover{SessionID: "vs_1", Reply: new(begun())})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, 1300.0, 200.0)
	f.Add([]byte(`{"reply":{"response_id":"r","text":"Sí. ","sentences":[{"to":-1,"end_ms":-5},{"to":99,"end_ms":1}],"sent_ms":-1}}`), -1.0, 1e308)
	f.Fuzz(func(t *testing.T, data []byte, played, buffered float64) {
		var h Handover
		if json.Unmarshal(data, &h) != nil {
			return
		}
		h = h.Reconciled(nil)
		if h.Reply == nil || h.Reply.ResponseID == "" {
			return
		}
		p := &PlaybackState{ResponseID: h.Reply.ResponseID, PlayedMS: played, BufferedMS: buffered}
		if got := h.GoOn(p); got.AudioEndMS < 0 {
			t.Errorf("%+v", got)
		}
		h.Reply.line(h.Reply.seam(p)).heard(int(min(amount(played), 1e9)))
	})
}

// What was said stays out of logs.
func TestHandoverIsNotLogged(t *testing.T) {
	var b strings.Builder
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("kept", "state", Handover{SessionID: "vs_1", Reply: new(begun()), Pending: []learn.Message{{Content: "canary"}}})
	if out := b.String(); strings.Contains(out, "canary") || strings.Contains(out, "comiste") || !strings.Contains(out, "vs_1") {
		t.Errorf("logged %s", out)
	}
}
