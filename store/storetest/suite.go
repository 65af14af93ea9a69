// Package storetest is what package store and package store/live promise, as
// tests. [Run] takes any database that store opens and [RunLive] any Redis that
// live opens; a backend on which one of them fails is not supported.
//
// The same package hands out the backends: [SQLite] and [Embedded] always,
// [Postgres] and [Redis] when KALAMI_TEST_POSTGRES_URL and KALAMI_TEST_REDIS_URL
// say where one is. Each call gives a place of its own, a file, a schema or a key
// prefix, and removes it when the test is over, so that tests may share a server.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// Fresh gives the options of a database that nobody else uses, without a schema.
type Fresh func(tb testing.TB) store.Options

// Run runs the suite. Tests that need a database opened twice open the same
// options twice.
func Run(t *testing.T, fresh Fresh) {
	t.Run("Migrate", func(t *testing.T) { testMigrate(t, fresh) })
	t.Run("People", func(t *testing.T) { testPeople(t, fresh) })
	t.Run("Settings", func(t *testing.T) { testSettings(t, fresh) })
	t.Run("PasswordChange", func(t *testing.T) { testPasswordChange(t, fresh) })
	t.Run("MailTokens", func(t *testing.T) { testMailTokens(t, fresh) })
	t.Run("MailTokenRace", func(t *testing.T) { testMailTokenRace(t, fresh) })
	t.Run("TokenVersions", func(t *testing.T) { testTokenVersions(t, fresh) })
	t.Run("Secrets", func(t *testing.T) { testSecrets(t, fresh) })
	t.Run("SecretRace", func(t *testing.T) { testSecretRace(t, fresh) })
	t.Run("Refresh", func(t *testing.T) { testRefresh(t, fresh) })
	t.Run("RefreshBounds", func(t *testing.T) { testRefreshBounds(t, fresh) })
	t.Run("RefreshModel", func(t *testing.T) { testRefreshModel(t, fresh) })
	t.Run("RotationRace", func(t *testing.T) { testRotationRace(t, fresh) })
	t.Run("Profiles", func(t *testing.T) { testProfiles(t, fresh) })
	t.Run("Habits", func(t *testing.T) { testHabits(t, fresh) })
	t.Run("Streaks", func(t *testing.T) { testStreaks(t, fresh) })
	t.Run("Zones", func(t *testing.T) { testZones(t, fresh) })
	t.Run("Activity", func(t *testing.T) { testActivity(t, fresh) })
	t.Run("Travel", func(t *testing.T) { testTravel(t, fresh) })
	t.Run("FreezeDays", func(t *testing.T) { testFreezeDays(t, fresh) })
	t.Run("Statistics", func(t *testing.T) { testStatistics(t, fresh) })
	t.Run("Conversations", func(t *testing.T) { testConversations(t, fresh) })
	t.Run("Messages", func(t *testing.T) { testMessages(t, fresh) })
	t.Run("End", func(t *testing.T) { testEnd(t, fresh) })
	t.Run("Finish", func(t *testing.T) { testFinish(t, fresh) })
	t.Run("FinishRace", func(t *testing.T) { testFinishRace(t, fresh) })
	t.Run("Repeats", func(t *testing.T) { testRepeatedStart(t, fresh) })
	t.Run("Lists", func(t *testing.T) { testLists(t, fresh) })
	t.Run("Transcript", func(t *testing.T) { testTranscript(t, fresh) })
	t.Run("Judgements", func(t *testing.T) { testJudgements(t, fresh) })
	t.Run("TranscriptEdits", func(t *testing.T) { testTranscriptEdits(t, fresh) })
	t.Run("Delete", func(t *testing.T) { testDelete(t, fresh) })
	t.Run("Resume", func(t *testing.T) { testResume(t, fresh) })
	t.Run("ResumeRefusals", func(t *testing.T) { testResumeRefusals(t, fresh) })
	t.Run("ResumeClock", func(t *testing.T) { testResumeClock(t, fresh) })
	t.Run("ResumeOffers", func(t *testing.T) { testResumeOffers(t, fresh) })
	t.Run("ResumeRace", func(t *testing.T) { testResumeRace(t, fresh) })
	t.Run("Input", func(t *testing.T) { testInput(t, fresh) })
	t.Run("Abandon", func(t *testing.T) { testAbandon(t, fresh) })
	t.Run("Cards", func(t *testing.T) { testCards(t, fresh) })
	t.Run("CardMerge", func(t *testing.T) { testCardMerge(t, fresh) })
	t.Run("CardsAfter", func(t *testing.T) { testCardsAfter(t, fresh) })
	t.Run("TalkCredit", func(t *testing.T) { testTalkCredit(t, fresh) })
	t.Run("ManyReviews", func(t *testing.T) { testManyReviews(t, fresh) })
	t.Run("CardRace", func(t *testing.T) { testCardRace(t, fresh) })
	t.Run("CardLists", func(t *testing.T) { testCardLists(t, fresh) })
	t.Run("CardPatches", func(t *testing.T) { testCardPatches(t, fresh) })
	t.Run("CardDeletion", func(t *testing.T) { testCardDeletion(t, fresh) })
	t.Run("CardSource", func(t *testing.T) { testCardSource(t, fresh) })
	t.Run("Reviews", func(t *testing.T) { testReviews(t, fresh) })
	t.Run("ReviewRejections", func(t *testing.T) { testReviewRejections(t, fresh) })
	t.Run("ReviewOrder", func(t *testing.T) { testReviewOrder(t, fresh) })
	t.Run("Undo", func(t *testing.T) { testUndo(t, fresh) })
	t.Run("DueCards", func(t *testing.T) { testDueCards(t, fresh) })
	t.Run("Forecast", func(t *testing.T) { testForecast(t, fresh) })
	t.Run("ReviewStatistics", func(t *testing.T) { testReviewStatistics(t, fresh) })
	t.Run("Credit", func(t *testing.T) { testCredit(t, fresh) })
	t.Run("Sync", func(t *testing.T) { testSync(t, fresh) })
	t.Run("SyncReset", func(t *testing.T) { testSyncReset(t, fresh) })
	t.Run("SyncRace", func(t *testing.T) { testSyncRace(t, fresh) })
	t.Run("Inspect", func(t *testing.T) { testInspect(t, fresh) })
	t.Run("Fencing", func(t *testing.T) { testFencing(t, fresh) })
	t.Run("Concurrency", func(t *testing.T) { testConcurrency(t, fresh) })
	t.Run("Isolation", func(t *testing.T) { testIsolation(t, fresh) })
	t.Run("Durability", func(t *testing.T) { testDurability(t, fresh) })
	t.Run("Discretion", func(t *testing.T) { testDiscretion(t, fresh) })
}

// Open opens a database with its schema and closes it when the test is over.
func Open(tb testing.TB, o store.Options) *store.DB {
	tb.Helper()
	o.Migrate = true
	db, err := store.Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return db
}

// Learner is somebody with a profile in the personal tenant, for tests that need
// no more of them than that they are there.
type Learner struct {
	User    learn.User
	Profile learn.Profile
}

// NewLearner makes a learner of Spanish at level A2.
func NewLearner(tb testing.TB, db *store.DB, name string) Learner {
	tb.Helper()
	u, err := db.CreateUser(tb.Context(), learn.User{
		Email: name + "@example.org", Name: name, NativeLanguage: "en", HashedPassword: "$argon2id$…",
	})
	if err != nil {
		tb.Fatalf("CreateUser: %v", err)
	}
	p, err := db.CreateProfile(tb.Context(), learn.Profile{
		TenantID: learn.PersonalTenant, UserID: u.ID, TargetLanguage: "es", Level: learn.A2,
	})
	if err != nil {
		tb.Fatalf("CreateProfile: %v", err)
	}
	return Learner{u, p}
}

// Start starts a conversation of the learner.
func (l Learner) Start(tb testing.TB, db *store.DB) learn.Conversation {
	tb.Helper()
	c, err := db.StartConversation(tb.Context(), learn.Conversation{
		TenantID: l.Profile.TenantID, UserID: l.User.ID, ProfileID: l.Profile.ID, Topic: "the weekend",
	})
	if err != nil {
		tb.Fatalf("StartConversation: %v", err)
	}
	return c
}

// Utterance returns what the learner says as message seq of a conversation: two
// words in one second.
func Utterance(c learn.Conversation, seq int) learn.Message {
	return learn.Message{
		TenantID: c.TenantID, ConversationID: c.ID,
		UtteranceID: fmt.Sprintf("u-%d", seq), Seq: seq, Turn: seq,
		Speaker: learn.SpeakerLearner, Content: "buenos días", Heard: "buenos días",
		Source: "voice", Language: "es", Audio: time.Second,
	}
}

// must fails the test if err is not nil.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// wantKind checks that err is a *learn.Error of a kind, with an operation, and
// with text for people unless it is internal.
func wantKind(tb testing.TB, what string, err error, kind learn.Kind) {
	tb.Helper()
	e, ok := errors.AsType[*learn.Error](err)
	switch {
	case !ok:
		tb.Errorf("%s: got %v, want a *learn.Error of kind %v", what, err, kind)
	case e.Kind != kind:
		tb.Errorf("%s: got kind %v (%v), want %v", what, e.Kind, err, kind)
	case !strings.HasPrefix(e.Op, "store.") || (e.Msg == "" && kind != learn.Internal):
		tb.Errorf("%s: Op %q, Msg %q: want both", what, e.Op, e.Msg)
	}
}

// messages returns everything said in a conversation.
func messages(tb testing.TB, db *store.DB, c learn.Conversation) []learn.Message {
	tb.Helper()
	ms, err := db.RecentMessages(context.WithoutCancel(tb.Context()), c.TenantID, c.ID, 1_000_000)
	if err != nil {
		tb.Fatalf("RecentMessages: %v", err)
	}
	return ms
}

// clock is a clock that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }
