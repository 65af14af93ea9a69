package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/pronounce"
	"kalami/store"
	"kalami/store/storetest"
)

func TestPronunciationOnSQLite(t *testing.T) { testPronunciation(t, storetest.SQLite) }

func TestPronunciationOnPostgres(t *testing.T) { testPronunciation(t, storetest.Postgres) }

// heard is what a recogniser heard of three words, the last of which it is unsure of.
func heard(last float64) []learn.SpokenWord {
	return []learn.SpokenWord{
		{Text: "café", StartMS: 0, EndMS: 400, Confidence: 0.9},
		{Text: "con", StartMS: 400, EndMS: 700, Confidence: 0.9},
		{Text: "leche", StartMS: 1200, EndMS: 1500, Confidence: last},
	}
}

// assessed is an assessment of Ana's, of an exercise.
func assessed(l storetest.Learner, reference string, last float64) learn.Assessment {
	a := pronounce.Assess(reference, pronounce.Sample{Language: "es", Words: heard(last), Native: "en"})
	a.TenantID, a.UserID, a.Provider = learn.PersonalTenant, l.User.ID, "deepgram-basic"
	return a
}

// testPronunciation: an assessment comes back as it was kept, its caveat aside; a message of
// a talk is assessed once; and what is somebody else's cannot be pointed at.
func testPronunciation(t *testing.T, fresh storetest.Fresh) {
	db := storetest.Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
	a := assessed(ana, "Un café con leche", 0.4)
	pronounce.Judge(&a, pronounce.Judgement{Provider: "azure", Overall: new(61.5), Words: []pronounce.JudgedWord{{Word: "leche", Accuracy: new(30.0),
		Mispronounced: true, Phonemes: []learn.Phoneme{{Symbol: "tʃ\x00", Alphabet: "ipa", Accuracy: new(12.5), HeardAs: new("ʃ")}}}}}, "en")
	kept, err := db.SaveAssessment(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Assessment(ctx, a.TenantID, ana.User.ID, kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := kept
	want.Caveat = ""
	want.Words[3].Phonemes[0].Symbol = "tʃ\uFFFD"
	want.ProblemAreas[len(want.ProblemAreas)-1].Value = "tʃ\uFFFD"
	want.Suggestions = got.Suggestions // one has the sound
	if text(t, got) != text(t, want) || len(got.Suggestions) != len(kept.Suggestions) {
		t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
	}
	for what, ask := range map[string]func() (learn.Assessment, error){
		"another user's":   func() (learn.Assessment, error) { return db.Assessment(ctx, a.TenantID, eve.User.ID, kept.ID) },
		"another tenant's": func() (learn.Assessment, error) { return db.Assessment(ctx, "school", ana.User.ID, kept.ID) },
		"one that is none": func() (learn.Assessment, error) { return db.Assessment(ctx, a.TenantID, ana.User.ID, "x") },
		"in Eve's talk": func() (learn.Assessment, error) {
			b := assessed(ana, "", 1)
			b.ConversationID = new(eve.Start(t, db).ID)
			return db.SaveAssessment(ctx, b)
		},
		"nobody's exercise": func() (learn.Assessment, error) {
			b := assessed(ana, "", 1)
			b.UserID = "x"
			return db.SaveAssessment(ctx, b)
		},
	} {
		if _, err := ask(); err == nil || learn.KindOf(err) != learn.NotFound {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	testTurnAssessment(t, db, ana, eve)
	list, err := db.ListAssessments(ctx, a.TenantID, ana.User.ID, "es", 1, 1)
	if err != nil || len(list) != 1 || list[0].ID != kept.ID || list[0].Words != nil || *list[0].Overall != 61.5 {
		t.Errorf("the second newest: %s, %v", text(t, list), err)
	}
	if list, err := db.ListAssessments(ctx, a.TenantID, ana.User.ID, "fr", 9, 0); len(list) != 0 || err != nil {
		t.Errorf("in French: %s, %v", text(t, list), err)
	}
}

// testTurnAssessment: a message is assessed once, and only in its own conversation.
func testTurnAssessment(t *testing.T, db *store.DB, ana, eve storetest.Learner) {
	t.Helper()
	ctx, c := t.Context(), ana.Start(t, db)
	m := storetest.Utterance(c, 1)
	m.ID = "m-1"
	if err := db.AppendMessage(ctx, 1, m); err != nil {
		t.Fatal(err)
	}
	a := assessed(ana, "", 0.5)
	a.ConversationID, a.MessageID = &c.ID, &m.ID
	for i, want := range []bool{true, false} {
		kept, err := db.SaveAssessment(ctx, a)
		if err != nil || (kept.ID != "") != want {
			t.Fatalf("time %d: stored as %q, %v", i, kept.ID, err)
		}
	}
	wrong := a
	wrong.MessageID = new("m-9")
	if _, err := db.SaveAssessment(ctx, wrong); learn.KindOf(err) != learn.NotFound {
		t.Errorf("a message that is none: %v", err)
	}
	samples, err := db.FluencySamples(ctx, a.TenantID, ana.User.ID, "es", time.Now().Add(-time.Hour), time.Now().Add(time.Hour), 10)
	if err != nil || len(samples) != 2 || samples[0].ConversationID != "" || samples[1].ConversationID != c.ID ||
		samples[1].Mode != learn.Spontaneous || samples[1].Fluency.Pauses.Count != 1 || *samples[1].Fluency.ArticulationWPM != 180 {
		t.Errorf("samples %s, %v", text(t, samples), err)
	}
	if none, err := db.FluencySamples(ctx, a.TenantID, eve.User.ID, "es", time.Time{}, time.Now().Add(time.Hour), 10); len(none) != 0 || err != nil {
		t.Errorf("Eve's samples %s, %v", text(t, none), err)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMisheardOnSQLite(t *testing.T) { testMisheard(t, storetest.SQLite) }

func TestMisheardOnPostgres(t *testing.T) { testMisheard(t, storetest.Postgres) }

// testMisheard: what was hard to understand is found with where that was: a talk, or the day
// of an exercise where the learner is. Texts to practise on are the learner's own.
func testMisheard(t *testing.T, fresh storetest.Fresh) {
	db := storetest.Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
	u := ana.User
	u.TimeZone = "Asia/Tokyo"
	if _, err := db.UpdateUser(ctx, u); err != nil {
		t.Fatal(err)
	}
	late := time.Now().UTC().Truncate(24 * time.Hour).Add(-9 * time.Hour) // 15:00 UTC is midnight in Tokyo
	for i, last := range []float64{0.4, 0.5, 0.6, 0.1} {
		a := assessed(ana, "Café con leche", last)
		a.CreatedAt = late.Add(time.Duration(i-1) * time.Minute)
		if i == 3 { // another word was understood
			a.Words[2].Status = new(learn.WordSubstitution)
		}
		if _, err := db.SaveAssessment(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	c := ana.Start(t, db)
	m := storetest.Utterance(c, 1)
	m.Speaker, m.Content = learn.SpeakerTutor, "¿Quiere leche?"
	if err := db.AppendMessage(ctx, 1, m); err != nil {
		t.Fatal(err)
	}
	talk := assessed(ana, "", 0.3)
	talk.ConversationID, talk.CreatedAt = &c.ID, late.Add(time.Hour)
	talk.Words[0].Phonemes = []learn.Phoneme{{Symbol: "k", Alphabet: "ipa", Accuracy: new(20.0)}, {Symbol: "a", Alphabet: "ipa", Accuracy: new(90.0)}}
	if _, err := db.SaveAssessment(ctx, talk); err != nil {
		t.Fatal(err)
	}
	got, err := db.Observations(ctx, talk.TenantID, ana.User.ID, "es", pronounce.Unsure, late.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	today, before := late.Add(9*time.Hour).Format(time.DateOnly), late.Add(-time.Hour).Add(9*time.Hour).Format(time.DateOnly)
	want := []learn.Observation{
		{Kind: learn.ProblemWord, Value: "leche", Language: "es", Sitting: c.ID, Score: 30, At: late.Add(time.Hour)},
		{Kind: learn.ProblemWord, Value: "leche", Language: "es", Sitting: today, Score: 50, At: late},
		{Kind: learn.ProblemWord, Value: "leche", Language: "es", Sitting: before, Score: 40, At: late.Add(-time.Minute)},
		{Kind: learn.ProblemSound, Value: "k", Language: "es", Sitting: c.ID, Score: 20, At: late.Add(time.Hour)},
	}
	if text(t, got) != text(t, want) {
		t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
	}
	if got, err := db.Observations(ctx, talk.TenantID, ana.User.ID, "es", pronounce.Unsure, late.Add(time.Minute)); len(got) != 2 || err != nil {
		t.Errorf("later ones: %s, %v", text(t, got), err)
	}
	if got, err := db.Observations(ctx, talk.TenantID, eve.User.ID, "es", pronounce.Unsure, time.Time{}); len(got) != 0 || err != nil {
		t.Errorf("Eve's: %s, %v", text(t, got), err)
	}
	tutor, exercises, err := db.DrillTexts(ctx, talk.TenantID, ana.User.ID, "es")
	if err != nil || len(tutor) != 1 || tutor[0] != "¿Quiere leche?" || len(exercises) != 4 {
		t.Errorf("%q, %q, %v", tutor, exercises, err)
	}
	if tutor, exercises, err := db.DrillTexts(ctx, talk.TenantID, eve.User.ID, "es"); len(tutor)+len(exercises) != 0 || err != nil {
		t.Errorf("Eve's: %q, %q, %v", tutor, exercises, err)
	}
}

func TestConsentsOnSQLite(t *testing.T) { testConsents(t, storetest.SQLite) }

func TestConsentsOnPostgres(t *testing.T) { testConsents(t, storetest.Postgres) }

// testConsents: decisions are added and never changed; the newest counts, and for a child
// none does.
func testConsents(t *testing.T, fresh storetest.Fresh) {
	db := storetest.Open(t, fresh(t))
	ctx := t.Context()
	ana := storetest.NewLearner(t, db, "ana")
	decide := func(granted bool) (learn.Consent, error) {
		return db.Decide(ctx, learn.Consent{TenantID: learn.PersonalTenant, UserID: ana.User.ID, Purpose: learn.PronunciationProvider,
			Granted: granted, GrantedBy: ana.User.ID, Method: "app", TextVersion: "2026-03"})
	}
	is := func(want bool) {
		t.Helper()
		got, err := db.Consented(ctx, learn.PersonalTenant, ana.User.ID, learn.PronunciationProvider)
		if err != nil || got != want {
			t.Errorf("consented %v, %v; want %v", got, err, want)
		}
	}
	is(false)
	for _, granted := range []bool{true, false, true} {
		c, err := decide(granted)
		if err != nil || c.Granted != granted || c.ID == "" || c.TextVersion != "2026-03" {
			t.Fatalf("%+v, %v", c, err)
		}
		is(granted)
	}
	if _, err := db.Pool().ExecContext(ctx, "UPDATE consents SET text_version = 'x'"); err == nil {
		t.Error("a decision was changed")
	}
	all, err := db.ListConsents(ctx, learn.PersonalTenant, ana.User.ID, 2, 0)
	if err != nil || len(all) != 2 || !all[0].Granted || all[1].Granted {
		t.Errorf("the two newest: %+v, %v", all, err)
	}
	if other, err := db.Consented(ctx, "school", ana.User.ID, learn.PronunciationProvider); other || err != nil {
		t.Errorf("elsewhere: %v, %v", other, err)
	}
	if _, err := db.Pool().ExecContext(ctx, "UPDATE users SET age_band = 'child'"); err != nil {
		t.Fatal(err)
	}
	is(false)
	if _, err := decide(true); learn.KindOf(err) != learn.Forbidden {
		t.Errorf("a child consents: %v", err)
	}
	if _, err := decide(false); err != nil {
		t.Errorf("a child withdraws: %v", err)
	}
	if _, err := db.Decide(ctx, learn.Consent{TenantID: "school", UserID: ana.User.ID, Purpose: learn.PronunciationProvider}); learn.KindOf(err) != learn.NotFound {
		t.Errorf("somebody who is no member: %v", err)
	}
	if err := db.EraseUser(ctx, ana.User.ID); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, db.Pool(), "consents"); n != 0 {
		t.Errorf("%d decisions are left of somebody who was erased", n)
	}
}
