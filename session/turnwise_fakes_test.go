package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// turnStore keeps one conversation in memory, with its epoch, as package store does.
type turnStore struct {
	mu           sync.Mutex
	conversation learn.Conversation
	messages     []learn.Message
	analyses     []learn.TurnAnalysis
	refuse       []error               // what the next calls of AppendMessage fail with; nil lets one through
	appended     func(m learn.Message) // called after each message, outside the mutex
	fail         map[string]error      // by the call's name
}

func newTurnStore() *turnStore {
	return &turnStore{conversation: learn.Conversation{ID: "c1", TenantID: "personal", UserID: "u1", ProfileID: "p1",
		Topic: "the weekend", Level: learn.B1, Status: "active", Epoch: 1, NextSeq: 1}}
}

func (s *turnStore) Conversation(_ context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conversation; tenantID != c.TenantID || userID != c.UserID || id != c.ID {
		return learn.Conversation{}, learn.Errorf(learn.NotFound, "turnStore", "Session not found")
	}
	return s.conversation, s.fail["Conversation"]
}

func (s *turnStore) TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	if c, err := s.Conversation(ctx, tenantID, userID, id); err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conversation.EndedAt != nil {
		return learn.Conversation{}, learn.Errorf(learn.Conflict, "turnStore", "The conversation has ended")
	}
	s.conversation.Epoch++
	return s.conversation, nil
}

func (s *turnStore) RecentMessages(_ context.Context, _, _ string, n int) ([]learn.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.messages
	return append([]learn.Message(nil), all[max(0, len(all)-n):]...), nil
}

func (s *turnStore) AppendMessage(_ context.Context, epoch int64, m learn.Message) error {
	if err := s.append(epoch, m); err != nil {
		return err
	}
	s.mu.Lock()
	appended := s.appended
	s.mu.Unlock()
	if appended != nil {
		appended(m)
	}
	return nil
}

func (s *turnStore) append(epoch int64, m learn.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		if s.refuse = s.refuse[1:]; err != nil {
			return err
		}
	}
	c := &s.conversation
	switch {
	case epoch != c.Epoch || c.EndedAt != nil:
		return &learn.Error{Kind: learn.Conflict, Msg: "elsewhere", Err: learn.ErrFenced}
	case m.Seq != c.NextSeq:
		return learn.Errorf(learn.Conflict, "turnStore", "number %d is not next", m.Seq)
	}
	s.messages = append(s.messages, m)
	c.NextSeq++
	if m.Speaker == learn.SpeakerLearner {
		c.Totals.Turns++
		c.Totals.Learner += m.Audio
		c.Totals.Words += len(strings.Fields(m.Content))
	}
	return nil
}

func (s *turnStore) SaveAnalysis(_ context.Context, a learn.TurnAnalysis) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.analyses = append(s.analyses, a)
	return s.fail["SaveAnalysis"]
}

func (s *turnStore) EditTranscript(context.Context, int64, learn.TranscriptEdit) error { return nil }

func (s *turnStore) EndConversation(context.Context, int64, learn.Conversation) error { return nil }

func (s *turnStore) KeepHabits(context.Context, string, string, string, learn.TurnHabits) error {
	return nil
}

// end ends the conversation, as the learner's other device does.
func (s *turnStore) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.conversation.EndedAt = &now
}

// said are the messages' texts, the tutor's in brackets.
func (s *turnStore) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, m := range s.messages {
		text := m.Content
		if m.Speaker == learn.SpeakerTutor {
			text = "[" + text + "]"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// fakeTranscriber hears what the test says.
type fakeTranscriber struct {
	heard providers.Transcript
	err   error
	takes time.Duration
	asked int
}

func (f *fakeTranscriber) Name() string { return "ear" }

func (f *fakeTranscriber) Transcribe(ctx context.Context, _ providers.Recording) (providers.Transcript, error) {
	f.asked++
	if !rest(ctx, f.takes, false) {
		return providers.Transcript{}, context.Cause(ctx)
	}
	return f.heard, f.err
}

// fakeAnalyst answers what the test says.
type fakeAnalyst struct {
	mu     sync.Mutex
	answer string
	err    error
	takes  time.Duration
	panics bool
	asked  []providers.Question
}

func (f *fakeAnalyst) Name() string { return "head" }

func (f *fakeAnalyst) Ask(ctx context.Context, q providers.Question) (providers.Answer, error) {
	f.mu.Lock()
	f.asked = append(f.asked, q)
	f.mu.Unlock()
	if f.panics {
		panic("an analyst that panics")
	}
	if !rest(ctx, f.takes, false) {
		return providers.Answer{}, context.Cause(ctx)
	}
	return providers.Answer{JSON: []byte(f.answer), Model: "head/1"}, f.err
}

// fakeSynthesizer speaks a clip that names its text.
type fakeSynthesizer struct {
	err, breaks error
	asked       []providers.Script
}

func (f *fakeSynthesizer) Name() string { return "mouth" }

func (f *fakeSynthesizer) Synthesize(_ context.Context, s providers.Script) (providers.Clip, error) {
	f.asked = append(f.asked, s)
	if f.err != nil {
		return providers.Clip{}, f.err
	}
	var clip io.Reader = strings.NewReader("mp3 of " + s.Text)
	if f.breaks != nil {
		clip = io.MultiReader(strings.NewReader("mp3"), brokenReader{f.breaks})
	}
	return providers.Clip{ReadCloser: io.NopCloser(clip), Vendor: "mouth"}, nil
}

func (f *fakeSynthesizer) Signature(providers.Script) string { return "mouth" }

func (f *fakeSynthesizer) Voices(context.Context) ([]providers.VoiceInfo, error) {
	return nil, errors.New("nobody asks")
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// turnsHouse is a Turnwise with everything around it.
type turnsHouse struct {
	*Turnwise
	store   *turnStore
	ear     *fakeTranscriber
	tutor   *fakeTutor
	analyst *fakeAnalyst
	mouth   *fakeSynthesizer
}

func newTurnsHouse(t *testing.T) *turnsHouse {
	t.Helper()
	h := &turnsHouse{store: newTurnStore(), ear: &fakeTranscriber{}, tutor: &fakeTutor{}, mouth: &fakeSynthesizer{},
		analyst: &fakeAnalyst{answer: `{"understood":true,"corrections":[],"new_words":[]}`}}
	h.Turnwise = &Turnwise{Tutor: h.tutor, Analyst: h.analyst, Transcriber: h.ear, Synthesizer: h.mouth, Store: h.store,
		Log: slog.New(slog.DiscardHandler)}
	return h
}

// typed is a turn of that learner.
func typed(text string) TurnRequest {
	return TurnRequest{
		User:           learn.User{ID: "u1", Name: "Ana", NativeLanguage: "en"},
		Profile:        learn.Profile{ID: "p1", TenantID: "personal", UserID: "u1", TargetLanguage: "es", Level: learn.B1, VoiceID: "carmen"},
		ConversationID: "c1", Text: text, Speak: true,
	}
}

// recorded is a turn that lasts four seconds.
func recorded() TurnRequest {
	r := typed("")
	r.Recording, r.RecordingMS = &providers.Recording{Audio: []byte("audio"), Format: providers.WAV, Language: "es"}, 4000
	return r
}

func (s *turnStore) Message(_ context.Context, _, _, _, id string) (learn.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.ID == id {
			return m, nil
		}
	}
	return learn.Message{}, learn.Errorf(learn.NotFound, "turnStore", "Message not found")
}
