package storetest

import (
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// corrected has a conversation of a learner's with two messages of theirs, in each of which
// something is corrected, and withheld in the second.
func corrected(t *testing.T, db *store.DB, who Learner) (learn.Conversation, []learn.Message) {
	t.Helper()
	c := who.Start(t, db)
	var said []learn.Message
	for seq := range 3 {
		m := Utterance(c, seq+1)
		if seq == 1 {
			m.Speaker, m.Words = learn.SpeakerTutor, nil
		}
		m.ID = c.ID + "-" + m.UtteranceID
		m.Content, m.Heard = "yo soy muy cansado", "yo soy muy cansado"
		must(t, db.AppendMessage(t.Context(), 1, m))
		said = append(said, m)
	}
	for i, m := range []learn.Message{said[0], said[2]} {
		a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ID, MessageID: m.ID, Language: "es",
			Understood: true, Corrections: []learn.Correction{
				{ID: m.ID + "-k1", Original: "yo soy", Corrected: "estoy", Start: 0, End: 6, Category: learn.WordChoice, Severity: learn.Major,
					Explanation: "Ser is for what lasts.", ExplanationLanguage: "en", Confidence: 0.9},
				{ID: m.ID + "-k2", Original: "cansado", Corrected: "cansada", Start: 11, End: 18, Category: learn.Gender, Severity: learn.Minor,
					Explanation: "She is.", ExplanationLanguage: "en", Confidence: 0.8, HeardConfidence: 0.4, Withheld: i == 1},
			}}
		must(t, db.SaveAnalysis(t.Context(), a))
	}
	return c, said
}

// testJudgements: a learner disputes, confirms and hides what was corrected; others do not,
// and nobody sees what was withheld. Disputes are counted once each.
func testJudgements(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	c, said := corrected(t, db, ana)
	id := func(message, k int) string { return said[message].ID + []string{"-k1", "-k2"}[k] }
	ids := func(limit, offset int) (out []string) {
		t.Helper()
		kept, err := db.Corrections(ctx, c.TenantID, c.UserID, c.ID, limit, offset)
		must(t, err)
		for _, k := range kept {
			if k.ConversationID != c.ID || k.CreatedAt.IsZero() {
				t.Errorf("%+v", k)
			}
			out = append(out, k.ID+" "+string(k.Status))
		}
		return out
	}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("at first", ids(10, 0), id(0, 0)+" shown", id(0, 1)+" shown", id(2, 0)+" shown")
	want("a page", ids(1, 1), id(0, 1)+" shown")
	want("behind the end", ids(10, 3))

	judge := func(id string, to learn.CorrectionStatus) {
		t.Helper()
		k, err := db.JudgeCorrection(ctx, c.TenantID, c.UserID, id, to)
		if err != nil || k.ID != id || k.Status != to {
			t.Errorf("judged %s: %+v, %v", to, k, err)
		}
	}
	disputes := func(n int) {
		t.Helper()
		if now, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || now.Disputes != n {
			t.Errorf("%d disputes, %v; want %d", now.Disputes, err, n)
		}
	}
	judge(id(0, 0), learn.CorrectionDisputed)
	judge(id(0, 0), learn.CorrectionDisputed)
	disputes(1)
	judge(id(0, 0), learn.CorrectionConfirmed)
	judge(id(0, 0), learn.CorrectionDisputed)
	disputes(1)
	judge(id(0, 1), learn.CorrectionHidden)
	judge(id(2, 0), learn.CorrectionConfirmed)
	want("judged", ids(10, 0), id(0, 0)+" disputed", id(2, 0)+" confirmed")
	_, shown, err := db.Transcript(ctx, c.TenantID, c.UserID, c.ID, 0, 10)
	must(t, err)
	if len(shown[said[0].ID]) != 1 || len(shown[said[2].ID]) != 1 {
		t.Errorf("the transcript shows %+v", shown)
	}
	judge(id(0, 1), learn.CorrectionDisputed)
	want("back again", ids(10, 0), id(0, 0)+" disputed", id(0, 1)+" disputed", id(2, 0)+" confirmed")
	disputes(2)

	for what, to := range map[string]learn.CorrectionStatus{"shown": learn.CorrectionShown, "withheld": learn.CorrectionWithheld, "none": ""} {
		_, err := db.JudgeCorrection(ctx, c.TenantID, c.UserID, id(0, 0), to)
		wantKind(t, what, err, learn.Invalid)
	}
	_, err = db.JudgeCorrection(ctx, c.TenantID, c.UserID, id(2, 1), learn.CorrectionConfirmed)
	wantKind(t, "what was withheld", err, learn.NotFound)
	_, err = db.JudgeCorrection(ctx, eve.Profile.TenantID, eve.User.ID, id(0, 0), learn.CorrectionHidden)
	wantKind(t, "somebody else's", err, learn.NotFound)
	_, err = db.Corrections(ctx, eve.Profile.TenantID, eve.User.ID, c.ID, 10, 0)
	wantKind(t, "somebody else's list", err, learn.NotFound)
}

// testTranscriptEdits: a learner was misunderstood. The message has their text, the first one
// is kept, its corrections are gone, and what looks after analyses is asked again; neither the
// tutor's messages nor other people's can be changed, and a session that lost the conversation
// changes nothing.
func testTranscriptEdits(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	c, said := corrected(t, db, ana)
	before, err := db.Message(ctx, c.TenantID, c.UserID, c.ID, said[0].ID)
	must(t, err)

	want := before
	want.Content, want.Heard, want.Original = "yo voy al mercado", "yo voy al mercado", "yo soy muy cansado"
	for range 2 {
		got, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, said[0].ID, "yo voy al mercado")
		if got.Timings = (learn.Timings{}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("edited to %+v, %v; want %+v", got, err, want)
		}
	}
	want.Content, want.Heard = "yo voy al mercado nuevo", "yo voy al mercado nuevo"
	edit := learn.TranscriptEdit{TenantID: c.TenantID, ConversationID: c.ID, UtteranceID: said[0].UtteranceID, Text: want.Content}
	must(t, db.EditTranscript(ctx, 1, edit))
	if got, err := db.Message(ctx, c.TenantID, c.UserID, c.ID, said[0].ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("edited again to %+v, %v; want %+v", got, err, want)
	}
	kept, err := db.Corrections(ctx, c.TenantID, c.UserID, c.ID, 10, 0)
	must(t, err)
	if len(kept) != 1 || kept[0].MessageID != said[2].ID {
		t.Errorf("the corrections are %+v", kept)
	}
	if now, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || now.Corrections != 1 {
		t.Errorf("%d corrections are counted, %v; want 1", now.Corrections, err)
	}

	live, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	edit.Text = "of a session that lost it"
	wantFenced(t, "the old session's edit", db.EditTranscript(ctx, 1, edit))
	edit.UtteranceID = said[1].UtteranceID
	wantKind(t, "the tutor's message", db.EditTranscript(ctx, live.Epoch, edit), learn.NotFound)
	for what, id := range map[string]string{"the tutor's message by its id": said[1].ID, "no message": "nothing", "an empty id": ""} {
		_, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, id, "x")
		wantKind(t, what, err, learn.NotFound)
	}
	_, err = db.CorrectTranscript(ctx, eve.Profile.TenantID, eve.User.ID, said[2].ID, "x")
	wantKind(t, "somebody else's message", err, learn.NotFound)
	_, err = db.Message(ctx, eve.Profile.TenantID, eve.User.ID, c.ID, said[2].ID)
	wantKind(t, "to read it", err, learn.NotFound)
	_, err = db.CorrectTranscript(ctx, c.TenantID, c.UserID, said[2].ID, "")
	wantKind(t, "no text", err, learn.Invalid)
	must(t, db.EndConversation(ctx, live.Epoch, live))
	wantFenced(t, "an edit of a session that has ended", db.EditTranscript(ctx, live.Epoch, edit))
	if _, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, said[2].ID, "después"); err != nil {
		t.Errorf("an edit after the end: %v", err)
	}
}
