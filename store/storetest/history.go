package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
)

// testFinish: whoever ends a conversation from outside, its owner is fenced, its totals
// are those of what is stored, and they count once.
func testFinish(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	c := ana.Start(t, db)
	live, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	must(t, db.AppendMessage(ctx, live.Epoch, Utterance(c, 1)))
	at.at = at.at.Add(90 * time.Second)

	want := live
	ended := at.at
	want.Status, want.EndReason, want.EndedAt, want.LastActivityAt = "ended", "normal", &ended, ended
	want.Epoch, want.NextSeq = 3, 2
	want.Totals = learn.Totals{Learner: time.Second, Turns: 1, Words: 2}
	for range 2 {
		got, err := db.FinishConversation(ctx, c.TenantID, c.UserID, c.ID)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("finished %+v, %v; want %+v", got, err, want)
		}
		at.at = at.at.Add(time.Hour)
	}
	wantFenced(t, "the live session's next message", db.AppendMessage(ctx, live.Epoch, Utterance(c, 2)))
	live.Totals.Learner = time.Hour
	wantFenced(t, "the live session's end", db.EndConversation(ctx, live.Epoch, live))
	p, err := db.Profile(ctx, c.TenantID, c.UserID, c.ProfileID)
	must(t, err)
	if p.TotalSpeaking != time.Second || p.Conversations != 1 {
		t.Errorf("the profile has %v in %d conversations, want 1s in 1", p.TotalSpeaking, p.Conversations)
	}
	_, err = db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	wantKind(t, "taking over what was finished", err, learn.Conflict)

	// One that its owner ended keeps what its owner said.
	own := ana.Start(t, db)
	own.Totals, own.EndReason = learn.Totals{Learner: 20 * time.Second, Turns: 4, Words: 50}, "idle_timeout"
	must(t, db.EndConversation(ctx, 1, own))
	before, err := db.Conversation(ctx, own.TenantID, own.UserID, own.ID)
	must(t, err)
	if got, err := db.FinishConversation(ctx, own.TenantID, own.UserID, own.ID); err != nil || !reflect.DeepEqual(got, before) {
		t.Errorf("finished again as %+v, %v; want %+v", got, err, before)
	}
}

// testFinishRace: a live session talks, eight requests end the conversation, and its
// owner ends it too. What was acknowledged is counted, once.
func testFinishRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	acknowledged := 0
	for range 5 {
		c := ana.Start(t, db)
		talking := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			for seq := 1; ; seq++ {
				err := db.AppendMessage(ctx, c.Epoch, Utterance(c, seq))
				if errors.Is(err, learn.ErrFenced) {
					return
				}
				if err != nil {
					t.Errorf("message %d: %v", seq, err)
					return
				}
				if acknowledged++; seq == 3 {
					close(talking)
				}
			}
		})
		<-talking
		for range 8 {
			all.Go(func() {
				if _, err := db.FinishConversation(ctx, c.TenantID, c.UserID, c.ID); err != nil {
					t.Errorf("FinishConversation: %v", err)
				}
			})
		}
		all.Wait()
	}
	st, err := db.Statistics(ctx, ana.Profile.TenantID, ana.User.ID)
	must(t, err)
	if st.Conversations != 5 || st.Speaking != time.Duration(acknowledged)*time.Second {
		t.Errorf("%d conversations, %v; want 5 and %ds", st.Conversations, st.Speaking, acknowledged)
	}
}

// testRepeatedStart: a start that is repeated with its key, by several at once too,
// starts one conversation; other users' keys are their own.
func testRepeatedStart(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	asked := learn.Conversation{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, ProfileID: ana.Profile.ID, ClientKey: "k"}
	ids := make(chan string, 8)
	for range cap(ids) {
		go func() {
			c, err := db.StartConversation(ctx, asked)
			if err != nil {
				t.Errorf("StartConversation: %v", err)
			}
			ids <- c.ID
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Errorf("started %s and %s with one key", first, id)
		}
	}
	again, err := db.StartConversation(ctx, asked)
	must(t, err)
	if got, err := db.Conversation(ctx, asked.TenantID, asked.UserID, first); err != nil || !reflect.DeepEqual(got, again) || got.ClientKey != "k" {
		t.Errorf("started again as %+v; it is %+v, %v", again, got, err)
	}
	theirs := learn.Conversation{TenantID: eve.Profile.TenantID, UserID: eve.User.ID, ProfileID: eve.Profile.ID, ClientKey: "k"}
	if c, err := db.StartConversation(ctx, theirs); err != nil || c.ID == first {
		t.Errorf("Eve started %s, %v with a key that Ana has used", c.ID, err)
	}
	must(t, db.DeleteConversation(ctx, asked.TenantID, asked.UserID, first))
	if c, err := db.StartConversation(ctx, asked); err != nil || c.ID == first {
		t.Errorf("after deletion started %s, %v; want a new one", c.ID, err)
	}
}

// testLists: conversations come newest first, in pages that join without a seam, and
// without those of deleted profiles.
func testLists(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	tenant, user := ana.Profile.TenantID, ana.User.ID
	fr, err := db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "fr", Level: learn.B1})
	must(t, err)
	var all []learn.Conversation // newest first
	for i := range 9 {
		c := learn.Conversation{
			TenantID: tenant, UserID: user, ProfileID: []string{ana.Profile.ID, fr.ID}[i%2], Topic: fmt.Sprint(i),
			StartedAt: time.Date(2026, 5, 1+i/3, 12, 0, 0, 0, time.UTC), // three at a time
		}
		c, err := db.StartConversation(ctx, c)
		must(t, err)
		must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
		if c, err = db.Conversation(ctx, tenant, user, c.ID); err != nil {
			t.Fatal(err)
		}
		all = slices.Insert(all, 0, c)
	}
	list := func(profileID string, limit, offset int) []learn.Conversation {
		t.Helper()
		cs, err := db.ListConversations(ctx, tenant, user, profileID, limit, offset)
		must(t, err)
		return cs
	}
	if got := list("", 100, 0); !reflect.DeepEqual(got, all) {
		t.Errorf("listed %+v\nwant %+v", got, all)
	}
	var pages []learn.Conversation
	for offset := 0; offset < len(all)+2; offset += 2 {
		pages = append(pages, list("", 2, offset)...)
	}
	if !reflect.DeepEqual(pages, all) {
		t.Errorf("pages of two give %+v\nwant %+v", pages, all)
	}
	french := slices.DeleteFunc(slices.Clone(all), func(c learn.Conversation) bool { return c.ProfileID != fr.ID })
	if got := list(fr.ID, 100, 0); !reflect.DeepEqual(got, french) || got[0].Language != "fr" {
		t.Errorf("French: %+v\nwant %+v", got, french)
	}
	if got := list("nobody", 100, 0); len(got) != 0 {
		t.Errorf("an unknown profile has %+v", got)
	}
	must(t, db.DeleteProfile(ctx, tenant, user, fr.ID))
	for _, profileID := range []string{"", fr.ID} {
		for _, c := range list(profileID, 100, 0) {
			if c.ProfileID == fr.ID {
				t.Errorf("the list of %q has %s of a deleted profile", profileID, c.ID)
			}
		}
	}
	if got, err := db.Conversation(ctx, tenant, user, french[0].ID); err != nil || !reflect.DeepEqual(got, french[0]) {
		t.Errorf("by its id: %+v, %v; want %+v", got, err, french[0])
	}
}

// testTranscript: what was said comes back in pages, with what was corrected and shown.
func testTranscript(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	c := NewLearner(t, db, "ana").Start(t, db)
	for seq := range 5 {
		m := Utterance(c, seq+1)
		m.ID = fmt.Sprintf("m-%d", seq+1)
		if seq%2 == 1 {
			m.Speaker = learn.SpeakerTutor
		}
		must(t, db.AppendMessage(ctx, 1, m))
	}
	mistakes := []learn.Correction{
		{ID: "c-1", Original: "días", Corrected: "tardes", Start: 7, End: 11, Category: learn.WordChoice, Severity: "minor",
			Explanation: "It is late.", ExplanationLanguage: "en", Confidence: 0.75, HeardConfidence: 0.5},
		{ID: "c-2", Original: "buenos", Corrected: "buenas", Start: 0, End: 6, Category: learn.Gender, Severity: "major", Confidence: 0.5},
		{ID: "c-3", Original: "buenos", Corrected: "bien", Start: 0, End: 6, Category: learn.WordChoice, Severity: "minor", Withheld: true},
	}
	must(t, db.SaveAnalysis(ctx, learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID,
		ConversationID: c.ID, MessageID: "m-3", Corrections: mistakes}))
	for i := range mistakes {
		mistakes[i].Repair = learn.RepairNone // until the learner says it rightly
	}
	said := messages(t, db, c)
	shown := map[string][]learn.Correction{"m-3": {mistakes[1], mistakes[0]}}
	for _, p := range []struct {
		after, limit int
		want         []learn.Message
		shown        map[string][]learn.Correction
	}{
		{0, 100, said, shown}, {0, 2, said[:2], nil}, {2, 1, said[2:3], shown}, {3, 100, said[3:], nil}, {5, 100, nil, nil}, {0, 0, nil, nil},
	} {
		got, corrections, err := db.Transcript(ctx, c.TenantID, c.UserID, c.ID, p.after, p.limit)
		if err != nil || !reflect.DeepEqual(got, p.want) || !reflect.DeepEqual(corrections, p.shown) {
			t.Errorf("%d after %d: %+v, %+v, %v\nwant %+v, %+v", p.limit, p.after, got, corrections, err, p.want, p.shown)
		}
	}
	if now, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || now.Corrections != 2 {
		t.Errorf("%d corrections were shown, %v; want 2", now.Corrections, err)
	}
}

// testDelete: a conversation that is deleted is gone, its owner is fenced, and what was
// practised stays counted.
func testDelete(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	live, over := ana.Start(t, db), ana.Start(t, db)
	for _, c := range []learn.Conversation{live, over} {
		must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
	}
	_, err := db.FinishConversation(ctx, over.TenantID, over.UserID, over.ID)
	must(t, err)
	before, err := db.Statistics(ctx, live.TenantID, live.UserID)
	must(t, err)
	for _, c := range []learn.Conversation{live, over} {
		must(t, db.DeleteConversation(ctx, c.TenantID, c.UserID, c.ID))
		wantKind(t, "deleting again", db.DeleteConversation(ctx, c.TenantID, c.UserID, c.ID), learn.NotFound)
		_, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID)
		wantKind(t, "what was deleted", err, learn.NotFound)
		_, _, err = db.Transcript(ctx, c.TenantID, c.UserID, c.ID, 0, 10)
		wantKind(t, "its transcript", err, learn.NotFound)
	}
	err = db.AppendMessage(ctx, 1, Utterance(live, 2))
	wantKind(t, "the live session's next message", err, learn.NotFound)
	if !errors.Is(err, learn.ErrFenced) {
		t.Errorf("the live session's next message: %v does not say to stop", err)
	}
	if got, err := db.Statistics(ctx, live.TenantID, live.UserID); err != nil || !reflect.DeepEqual(got, before) || got.Speaking != 2*time.Second {
		t.Errorf("afterwards %+v, %v; want %+v", got, err, before)
	}
}
