package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kalami/gateway/wire"
	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// The stages of a turn as the original's app is told them.
const (
	stageTranscribing = "transcribing"
	stageThinking     = "thinking"
	stageSpeaking     = "speaking"
)

// startSession begins a conversation, or goes on with the one that the message names.
func (t *originalTalk) startSession(ctx context.Context, m wire.OriginalStartSession) {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	if _, ok := t.mayGoOn(ctx); !ok {
		return
	}
	c, p, err := t.opened(ctx, m)
	if err != nil {
		t.failWith(err)
		return
	}
	t.conversation, t.profile = c, p
	_ = t.conn.say(wire.OriginalSessionStarted{Session: showConversation(c)})
}

// opened finds or makes the conversation that start_session asks for.
func (t *originalTalk) opened(ctx context.Context, m wire.OriginalStartSession) (learn.Conversation, learn.Profile, error) {
	const op = "gateway.original"
	if m.ConversationID != "" {
		c, p, err := t.conversationOf(ctx, m.ConversationID)
		switch {
		case err != nil:
			return c, p, err
		case m.ProfileID != "" && m.ProfileID != c.ProfileID:
			return c, p, learn.Errorf(learn.NotFound, op, "Session not found")
		case c.EndedAt != nil:
			return c, p, errSessionEnded(nil)
		}
		return c, p, nil
	}
	var f faults
	if m.ProfileID == "" {
		f.add("profileId", "is required")
	}
	topic := f.text("topic", m.Topic, maxTopic)
	if err := f.err(op); err != nil {
		return learn.Conversation{}, learn.Profile{}, err
	}
	p, err := t.profileOf(ctx, m.ProfileID)
	if err != nil {
		return learn.Conversation{}, p, err
	}
	if topic == "" {
		topic = defaultTopic
	}
	c, err := t.server.opts.Conversations.StartConversation(ctx, learn.Conversation{
		TenantID: t.tenantID, UserID: t.user.ID, ProfileID: p.ID,
		Topic: topic, Mode: "turn", Level: p.Level, StartedAt: time.Now().UTC(),
	})
	return c, p, err
}

func (t *originalTalk) profileOf(ctx context.Context, id string) (learn.Profile, error) {
	const op, unknown = "gateway.original", "Learning profile not found"
	if !saneID(id) {
		return learn.Profile{}, learn.Errorf(learn.NotFound, op, unknown)
	}
	p, err := t.server.opts.Profiles.Profile(ctx, t.tenantID, t.user.ID, id)
	return p, renamed(err, learn.NotFound, op, unknown)
}

// conversationOf finds one of the user's conversations, ended or not, with its profile.
func (t *originalTalk) conversationOf(ctx context.Context, id string) (learn.Conversation, learn.Profile, error) {
	const op, unknown = "gateway.original", "Session not found"
	if !saneID(id) {
		return learn.Conversation{}, learn.Profile{}, learn.Errorf(learn.NotFound, op, unknown)
	}
	c, err := t.server.opts.Conversations.Conversation(ctx, t.tenantID, t.user.ID, id)
	if err != nil {
		return c, learn.Profile{}, renamed(err, learn.NotFound, op, unknown)
	}
	p, err := t.profileOf(ctx, c.ProfileID)
	return c, p, err
}

// endSession ends the conversation for good. Ending it again, or when there is none,
// changes nothing and is answered alike.
func (t *originalTalk) endSession(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	if t.conversation.ID == "" {
		_ = t.conn.say(wire.OriginalSessionEnded{})
		return
	}
	c, err := t.server.opts.Conversations.FinishConversation(ctx, t.tenantID, t.user.ID, t.conversation.ID)
	if err != nil {
		t.failWith(err)
		return
	}
	t.conversation = c
	_ = t.conn.say(wire.OriginalSessionEnded{Session: showConversation(c)})
}

// acceptTurn queues a recording. held is its share of the room, which comes back when the
// turn is over.
func (t *originalTalk) acceptTurn(stop context.Context, m wire.OriginalAudio, held int64) {
	job := originalJob{
		do: func(ctx context.Context) { t.turn(ctx, m) },
		free: func() {
			t.turns.Add(-1)
			t.conn.room.give(held)
		},
	}
	if t.turns.Add(1) > maxOriginalTurns {
		job.free()
		t.fail("busy", "Please wait for the answer to what you said before")
		return
	}
	t.accept(stop, job)
}

// turn answers one recording: what was heard, the tutor's text, and one clip.
func (t *originalTalk) turn(ctx context.Context, m wire.OriginalAudio) {
	ctx, cancel := context.WithTimeout(ctx, t.conn.limits.TurnWait)
	defer cancel()
	user, ok := t.mayGoOn(ctx)
	if !ok {
		return
	}
	if !t.server.speaking.take(user.ID) {
		t.failWith(errSpeakingAlready())
		return
	}
	defer t.server.speaking.leave(user.ID)
	key, rate, what := t.server.speakingRate(user)
	if _, err := t.server.count(ctx, t.id, key, rate, what); err != nil {
		t.failWith(err)
		return
	}
	_ = t.conn.say(wire.OriginalProcessing{Stage: stageTranscribing})
	request, err := t.request(ctx, user, m)
	if err != nil {
		t.failWith(err)
		return
	}
	r, err := t.take(ctx, request)
	if err != nil {
		t.failWith(turnError("audio", err))
		return
	}
	t.conversation = r.Conversation
	if r.Unheard {
		t.fail("not_heard", "I did not catch that. Could you say it again?")
		return
	}
	t.answered++
	t.answer(r)
}

// request makes the turn's request out of the message.
func (t *originalTalk) request(ctx context.Context, user learn.User, m wire.OriginalAudio) (session.TurnRequest, error) {
	const op = "gateway.original"
	if id := m.ConversationID; id != "" && id != t.conversation.ID {
		c, p, err := t.conversationOf(ctx, id)
		if err != nil {
			return session.TurnRequest{}, err
		}
		t.conversation, t.profile = c, p
	}
	if t.conversation.ID == "" {
		return session.TurnRequest{}, learn.Errorf(learn.Invalid, op, "No active session")
	}
	// What the client calls the format is not asked: browsers are told to record M4A and
	// record WebM.
	sent := upload{audio: m.Audio, field: "audio_base64"}
	heard, info, err := sent.recording(t.profile.TargetLanguage)
	if err != nil {
		return session.TurnRequest{}, processing("audio", err)
	}
	return session.TurnRequest{
		User: user, Profile: t.profile, ConversationID: t.conversation.ID,
		Recording: &heard, RecordingMS: int(info.Duration.Milliseconds()), Speak: true,
	}, nil
}

// take makes the turn and tells the client of its steps as they are reached. Those go
// through a queue that holds more than there are, since telling may block.
func (t *originalTalk) take(ctx context.Context, r session.TurnRequest) (session.TurnResult, error) {
	steps, told := make(chan session.TurnProgress, 2*int(session.TurnSpeaking)), make(chan struct{})
	go func() {
		defer close(told)
		failed := t.guarded(func() *session.End {
			for step := range steps {
				t.tell(step)
			}
			return nil
		})
		if failed != nil {
			t.log.Error("a turn's steps were not told", "err", failed.Err)
		}
	}()
	defer func() {
		close(steps)
		<-told
	}()
	r.Progress = func(p session.TurnProgress) {
		select {
		case steps <- p:
		default: // no turn has so many steps
		}
	}
	return t.server.opts.Turns.Take(ctx, r)
}

// tell puts one step of a turn into the original's words. The tutor's text waits for the
// corrections, with which it goes out as one message.
func (t *originalTalk) tell(p session.TurnProgress) {
	switch p.Step {
	case session.TurnHeard:
		_ = t.conn.say(wire.OriginalTranscription{Text: p.Text, IsFinal: true})
	case session.TurnThinking:
		_ = t.conn.say(wire.OriginalProcessing{Stage: stageThinking})
	case session.TurnSpeaking:
		_ = t.conn.say(wire.OriginalProcessing{Stage: stageSpeaking})
	case session.TurnTranscribing, session.TurnAnswered: // told before, and after
	}
}

// answer sends the tutor's text and then its clip, one of each.
func (t *originalTalk) answer(r session.TurnResult) {
	response := wire.OriginalResponse{Text: r.Tutor.Content, ConversationID: r.Conversation.ID}
	for _, c := range r.Corrections {
		response.Corrections = append(response.Corrections, wire.OriginalCorrection{
			Original: c.Original, Corrected: c.Corrected, Explanation: c.Explanation, Category: string(c.Category)})
	}
	if err := t.conn.say(response); err != nil {
		return // the client has left; the turn is in the history
	}
	err := r.VoiceErr
	if err == nil {
		err = t.conn.say(wire.OriginalAnswerAudio{Audio: r.Clip, Format: string(providers.MP3)})
	}
	if _, lost := errors.AsType[*session.End](err); err != nil && !lost {
		t.log.Warn("an answer was not spoken", "err", err)
		t.fail("voice_unavailable", "The answer could not be spoken")
	}
}

// mayGoOn reads the user again before anything that costs. ok is false when the client
// has been told why not, or is about to be closed.
func (t *originalTalk) mayGoOn(ctx context.Context) (u learn.User, ok bool) {
	u, err := t.welcome(ctx)
	if end, gone := errors.AsType[*session.End](err); gone {
		t.unwelcome = end
		return u, false
	}
	if err != nil {
		t.failWith(err)
		return u, false
	}
	return u, true
}

// failWith tells the client of an error as the REST API would, and the log of its cause.
// Work that was cut short has nobody to be told.
func (t *originalTalk) failWith(err error) {
	if errors.Is(err, context.Canceled) && t.conn.ctx.Err() != nil {
		return
	}
	a, level := describe(err), slog.LevelInfo
	switch learn.KindOf(err) {
	case learn.Internal:
		level = slog.LevelError
	case learn.Unavailable:
		level = slog.LevelWarn
	}
	t.log.Log(context.Background(), level, "a message was not answered", "code", a.body.Code, "err", err)
	t.fail(a.body.Code, a.body.Detail)
}
