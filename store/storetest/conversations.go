package storetest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// testConversations: a conversation starts at epoch 1 with message 1, is taken
// over with its number and totals, and after its end by nobody.
func testConversations(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	c := ana.Start(t, db)
	if c.Epoch != 1 || c.NextSeq != 1 || c.Status != "active" || c.Mode != "live" || c.Level != learn.A2 || c.StartedAt.IsZero() {
		t.Errorf("started %+v: want epoch 1, message 1, active, live, A2, a time", c)
	}
	if got, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("read back %+v, %v; want %+v", got, err, c)
	}
	_, err := db.StartConversation(ctx, c)
	wantKind(t, "the same id again", err, learn.Conflict)
	_, err = db.StartConversation(ctx, learn.Conversation{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, Mode: "mime"})
	wantKind(t, "an unknown mode", err, learn.Invalid)

	must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
	tutor := Utterance(c, 2)
	tutor.Speaker, tutor.Interrupted, tutor.Heard, tutor.Audio = learn.SpeakerTutor, true, "buenos", 300*time.Millisecond
	must(t, db.AppendMessage(ctx, 1, tutor))
	got, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	want := c
	want.Epoch, want.NextSeq, want.LastActivityAt = 2, 3, got.LastActivityAt
	want.Totals = learn.Totals{Learner: time.Second, Tutor: 300 * time.Millisecond, Turns: 1, Words: 2, BargeIns: 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("took over %+v, want %+v", got, want)
	}
	must(t, db.EndConversation(ctx, 2, got))
	_, err = db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	wantKind(t, "taking over what has ended", err, learn.Conflict)
}

// testMessages: what is said comes back as it was, once, whatever it is made of.
func testMessages(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	c := NewLearner(t, db, "ana").Start(t, db)
	east := time.FixedZone("UTC+5:45", 5*3600+45*60)
	said := []learn.Message{{
		ID: "m-1", TenantID: c.TenantID, ConversationID: c.ID, UtteranceID: "opener", Seq: 1, Turn: 0,
		Speaker: learn.SpeakerTutor, Content: "¡Hola! ¿Qué hiciste ayer?", Heard: "¡Hola!", Interrupted: true,
		Source: "voice", Language: "es", Audio: 740 * time.Millisecond,
		Timings: learn.Timings{EndpointMS: 350, STTFinalMS: 340, LLMFirstMS: 210, ClauseMS: 90, TTSFirstMS: 150, EgressMS: 2,
			FirstAudioMS: 802, BufferMS: 61, HeardMS: 863, ClientMS: 871, DraftMS: 120},
		Provider: "anthropic/claude", Tokens: 42, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 999_999_999, east),
	}, {
		ID: "m-2", TenantID: c.TenantID, ConversationID: c.ID, UtteranceID: "u-2", Seq: 2, Turn: 1,
		Speaker: learn.SpeakerLearner, Content: "昨日は映画を見ました 🎬", Heard: "昨日は映画を見ました 🎬",
		Source: "voice", Language: "ja", Audio: 2 * time.Second,
		Words:     []learn.SpokenWord{{Text: "昨日", StartMS: 20, EndMS: 400, Confidence: 0.97, Language: "ja"}},
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
	}, {
		ID: "m-3", TenantID: c.TenantID, ConversationID: c.ID, UtteranceID: "u-3", Seq: 3, Turn: 2,
		Speaker: learn.SpeakerTutor, Content: "Nothing of this was heard", Heard: "", Interrupted: true,
		Source: "text", CreatedAt: time.Date(2026, 1, 2, 3, 4, 7, 500_000, time.UTC),
	}}
	for _, m := range said {
		must(t, db.AppendMessage(ctx, 1, m))
		m.CreatedAt = m.CreatedAt.UTC().Truncate(time.Microsecond)
		said[m.Seq-1] = m
	}
	if got := messages(t, db, c); !reflect.DeepEqual(got, said) {
		t.Errorf("said  %+v\nwant %+v", got, said)
	}
	if got, err := db.RecentMessages(ctx, c.TenantID, c.ID, 2); err != nil || !reflect.DeepEqual(got, said[1:]) {
		t.Errorf("the last two: %+v, %v; want %+v", got, err, said[1:])
	}
	checkBackground(t, db, c, said[1:])

	again := said[1]
	again.ID, again.Content, again.Seq = "m-9", "something else", 9
	must(t, db.AppendMessage(ctx, 1, again))
	taken := again
	taken.UtteranceID, taken.Seq = "u-9", 2
	err := db.AppendMessage(ctx, 1, taken)
	wantKind(t, "another utterance's number", err, learn.Conflict)
	if errors.Is(err, learn.ErrFenced) {
		t.Errorf("another utterance's number: %v says that the conversation was lost", err)
	}
	if got := messages(t, db, c); !reflect.DeepEqual(got, said) {
		t.Errorf("after a repeat and a clash %+v\nwant %+v", got, said)
	}
	if now, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || now.NextSeq != 4 || now.Totals.Turns != 1 {
		t.Errorf("next message %d after %d turns, %v; want 4 after 1", now.NextSeq, now.Totals.Turns, err)
	}

	testOddText(t, db, c)
	testMalformed(t, func(m learn.Message) error { return db.AppendMessage(ctx, 1, m) }, Utterance(c, 5))

	gone, cancel := context.WithCancel(ctx)
	cancel()
	wantKind(t, "a context that has ended", db.AppendMessage(gone, 1, Utterance(c, 5)), learn.Unavailable)
	if got := messages(t, db, c); len(got) != 4 {
		t.Errorf("%d messages, want 4", len(got))
	}
}

// testOddText: bytes that a database would refuse do not stop the rest from being
// kept, and text that only looks like them stays as it is.
func testOddText(t *testing.T, db *store.DB, c learn.Conversation) {
	odd := Utterance(c, 4)
	odd.Content, odd.Heard = "nul \x00 and \xff bytes", "nul \x00 and \xff bytes"
	odd.Words = []learn.SpokenWord{{Text: "a\x00b\xff", Confidence: math.NaN()}, {Text: `\u0000`}}
	must(t, db.AppendMessage(t.Context(), 1, odd))
	last := messages(t, db, c)[3]
	if last.Content != "nul \uFFFD and \uFFFD bytes" || last.Heard != last.Content ||
		!slices.Equal(last.Words, []learn.SpokenWord{{Text: "a\uFFFDb\uFFFD"}, {Text: `\u0000`}}) {
		t.Errorf("stored %q, %q, %+v: want U+FFFD for what cannot be kept", last.Content, last.Heard, last.Words)
	}
}

// testMalformed: what is not a message is refused with the field's name.
func testMalformed(t *testing.T, appendMessage func(learn.Message) error, good learn.Message) {
	for field, spoil := range map[string]func(*learn.Message){
		"utterance_id": func(m *learn.Message) { m.UtteranceID = "" },
		"seq":          func(m *learn.Message) { m.Seq = 0 },
		"turn_no":      func(m *learn.Message) { m.Turn = -1 },
		"role":         func(m *learn.Message) { m.Speaker = "system" },
		"source":       func(m *learn.Message) { m.Source = "telepathy" },
	} {
		m := good
		spoil(&m)
		wantKind(t, "a message with a bad "+field, appendMessage(m), learn.Invalid)
	}
}

// testEnd: however often and by however many a conversation is ended, its totals
// count once.
func testEnd(t *testing.T, fresh Fresh) {
	o := fresh(t)
	o.Now = (&clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}).now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	two := []learn.Conversation{ana.Start(t, db), ana.Start(t, db)}
	done := make(chan error)
	for i := range two {
		c := &two[i]
		must(t, db.AppendMessage(ctx, 1, Utterance(*c, 1)))
		ended := c.StartedAt.Add(90 * time.Second)
		c.EndedAt, c.EndReason = &ended, "idle_timeout"
		c.Totals = learn.Totals{Learner: 20 * time.Second, Tutor: 30 * time.Second, Turns: 4, Words: 50, BargeIns: 1}
		for range 8 {
			go func() { done <- db.EndConversation(ctx, 1, *c) }()
		}
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Errorf("EndConversation: %v", err)
		}
	}
	for _, c := range two {
		want := c
		want.Status, want.NextSeq = "ended", 2
		if got, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ended %+v, %v; want %+v", got, err, want)
		}
	}
	p, err := db.Profile(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID)
	must(t, err)
	if p.TotalSpeaking != 40*time.Second || p.Conversations != 2 || p.StreakDays != 1 {
		t.Errorf("profile has %v in %d conversations, streak %d; want 40s, 2, 1", p.TotalSpeaking, p.Conversations, p.StreakDays)
	}

	must(t, db.AppendMessage(ctx, 1, Utterance(two[0], 1))) // a repeat, so nothing new
	wantFenced(t, "speaking after the end", db.AppendMessage(ctx, 1, Utterance(two[0], 2)))
	lost := ana.Start(t, db)
	lost.Status = "abandoned"
	must(t, db.EndConversation(ctx, 1, lost))
	if got, err := db.Conversation(ctx, lost.TenantID, lost.UserID, lost.ID); err != nil || got.Status != "abandoned" {
		t.Errorf("status %q, %v; want abandoned", got.Status, err)
	}
}

// checkBackground: what a session goes on from is what each table says by itself, but for
// what is counted.
func checkBackground(t *testing.T, db *store.DB, c learn.Conversation, history []learn.Message) {
	t.Helper()
	ctx := t.Context()
	user, err := db.UserByID(ctx, c.UserID)
	must(t, err)
	profile, err := db.Profile(ctx, c.TenantID, c.UserID, c.ProfileID)
	must(t, err)
	tenant, err := db.TenantSettings(ctx, c.TenantID)
	must(t, err)
	profile.TotalSpeaking, profile.Conversations, profile.StreakDays, profile.Mastered = 0, 0, 0, 0
	want := learn.Background{User: user, Profile: profile, Tenant: tenant, History: history}
	if got, err := db.Background(ctx, c, len(history)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("background %+v, %v\nwant       %+v", got, err, want)
	}
	gone := c
	gone.ProfileID = "p-none"
	_, err = db.Background(ctx, gone, 2)
	wantKind(t, "the background of a profile that is gone", err, learn.NotFound)
}
