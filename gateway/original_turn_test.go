package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// One recording is answered at a time; one more may wait, and the next is refused.
func TestOriginalQueue(t *testing.T) {
	h := newOriginalHouse(t)
	h.tutor.go_ = make(chan struct{})
	p, c := h.lesson()
	first, second := wavFile(time.Second), wavFile(2*time.Second)
	p.record(first)
	p.want(toldTranscribing)
	p.record(second)
	p.record(wavFile(3 * time.Second))
	p.failed("busy", "Please wait for the answer to what you said before")
	h.tutor.go_ <- struct{}{}
	p.want(toldHeard, toldThinking, toldSpeaking,
		`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"`+c+`"}}`, toldClip)
	h.tutor.go_ <- struct{}{}
	p.answered(c)
	if a, b := <-h.tutor.asked, <-h.tutor.asked; !slices.Equal(a.Recording.Audio, first) || !slices.Equal(b.Recording.Audio, second) {
		t.Error("the recordings were not answered in their order")
	}
	for range maxOriginalJobs + 3 { // the first is being done or waits, too
		p.send(`{"type":"start_session","payload":{"profileId":"` + h.profile + `"}}`)
	}
	started, busy := 0, 0
	for range maxOriginalJobs + 3 {
		switch got := p.next(); {
		case strings.Contains(got, `"session_started"`):
			started++
		case got == `{"type":"error","payload":{"message":"Too many messages are waiting, please try again","code":"busy"}}`:
			busy++
		default:
			t.Errorf("unexpected %s", got)
		}
	}
	if started < maxOriginalJobs {
		t.Errorf("%d conversations started, %d refused", started, busy)
	}
}

// A client that is lost in the middle of a turn finds the answer in its history: the turn
// and the one that waited are finished.
func TestOriginalLostSocket(t *testing.T) {
	h := newOriginalHouse(t)
	h.tutor.go_ = make(chan struct{})
	p, _ := h.lesson()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	p.record(wavFile(time.Second))
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"pong","payload":{}}`) // so the recording before it has been taken
	_ = p.ws.CloseNow()
	<-h.tutor.asked
	h.tutor.go_ <- struct{}{}
	h.tutor.go_ <- struct{}{}
	h.settle()
	if n, last := h.tutor.ends(); n != 2 || last != nil {
		t.Errorf("%d turns ended, the last with %v", n, last)
	}
	h.roomIsWhole()
}

// A node that stops finishes the turn under way, and closes as a restart.
func TestOriginalDrain(t *testing.T) {
	h := newOriginalHouse(t)
	h.tutor.go_ = make(chan struct{})
	p, c := h.lesson()
	idle := func() *oldPhone { // another connection, without a word
		p, _, err := h.knock("/ws?token=" + h.access)
		if err != nil {
			t.Fatal(err)
		}
		_ = p.next()
		return p
	}()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	drained := make(chan error, 1)
	go func() { drained <- h.server.DrainSessions(context.Background()) }()
	idle.closed(websocket.StatusServiceRestart, "draining")
	_ = h.sockets.live.total() // waits until all have been asked to end
	p.record(wavFile(time.Second))
	p.failed("busy", "Too many messages are waiting, please try again")
	h.tutor.go_ <- struct{}{}
	p.want(toldHeard, toldThinking, toldSpeaking,
		`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"`+c+`"}}`, toldClip)
	p.closed(websocket.StatusServiceRestart, "draining")
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// A turn that does not end in time is cut off with its node, and its context says so.
func TestOriginalCutOff(t *testing.T) {
	h := newOriginalHouse(t)
	h.tutor.go_ = make(chan struct{})
	p, _ := h.lesson()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	<-h.tutor.asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := h.server.DrainSessions(ctx); err == nil || !strings.Contains(err.Error(), "1 sessions cut off") {
		t.Errorf("drained with %v", err)
	}
	if n, last := h.tutor.ends(); n != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d turns ended, the last with %v", n, last)
	}
	h.roomIsWhole()
}

// What start_session may ask for.
func TestOriginalStartSession(t *testing.T) {
	h := newOriginalHouse(t)
	p, c := h.lesson()
	other := h.profileOf(h.access, "fr")
	stranger, _ := h.account("ben@example.org")
	theirs := h.profileOf(stranger, "es")
	start := func(fields string) { p.send(`{"type":"start_session","payload":{` + fields + `}}`) }

	start(`"topic":"x"`)
	p.failed("invalid", "profileId: is required")
	start(`"profileId":"` + theirs + `"`)
	p.failed("not_found", "Learning profile not found")
	start(`"profileId":"../etc"`)
	p.failed("not_found", "Learning profile not found")
	start(`"profileId":"` + h.profile + `","topic":"` + strings.Repeat("x", maxTopic+1) + `"`)
	p.failed("invalid", "topic: must have at most 200 characters")
	start(`"profileId":"` + h.profile + `","topic":"a\u0000b"`)
	p.failed("invalid", "topic: must not contain control characters")
	start(`"session_id":"nope"`)
	p.failed("not_found", "Session not found")
	start(`"session_id":"a/b"`)
	p.failed("not_found", "Session not found")
	start(`"session_id":"` + c + `","profileId":"` + other + `"`)
	p.failed("not_found", "Session not found")

	// Going on with a conversation, and another beside it.
	start(`"session_id":"` + c + `","profileId":"` + h.profile + `"`)
	if got := p.next(); !strings.Contains(got, `"session_started"`) || !strings.Contains(got, `"id":"`+c+`"`) || !strings.Contains(got, `"topic":"Food"`) {
		t.Errorf("went on with %s", got)
	}
	start(`"profileId":"` + other + `"`)
	if got := p.next(); !strings.Contains(got, `"profile_id":"`+other+`"`) || !strings.Contains(got, `"topic":"General conversation"`) {
		t.Errorf("started %s", got)
	}
	p.record(wavFile(time.Second), "session_id", c) // the message says whose it is
	p.answered(c)
	if asked := <-h.tutor.asked; asked.Profile.ID != h.profile || asked.ConversationID != c {
		t.Errorf("the tutor was asked for %s under %s", asked.ConversationID, asked.Profile.ID)
	}
	p.send(`{"type":"end_session"}`)
	p.ended(c)
	start(`"session_id":"` + c + `"`)
	p.failed("session_ended", "Session has ended")
	h.store.fail(&learn.Error{Kind: learn.Unavailable, Msg: "The database does not answer", Err: errors.New("secret")})
	start(`"profileId":"` + h.profile + `"`)
	p.failed("unavailable", "The database does not answer")
	h.store.fail(nil)
}

// What goes wrong with a turn is said, and the next one is answered.
func TestOriginalTurnFails(t *testing.T) {
	h := newOriginalHouse(t)
	fresh := h.call()
	fresh.send(`{"type":"end_session"}`)
	fresh.want(`{"type":"session_ended","payload":{"session":null}}`)
	fresh.record(wavFile(time.Second))
	fresh.want(toldTranscribing)
	fresh.failed("invalid", "No active session")
	_ = fresh.ws.CloseNow()

	p, c := h.lesson()
	for _, tt := range []struct {
		file          []byte
		fields        []string
		code, message string
	}{
		{nil, nil, "invalid", "Error processing audio: the recording is empty"},
		{[]byte("hello"), nil, "invalid", "Error processing audio: the recording is not WAV, MP3, WebM, M4A or Ogg audio"},
		{wavFile(0), nil, "invalid", "Error processing audio: the WAV recording holds no audio"},
		{wavFile(time.Second), []string{"session_id", "nope"}, "not_found", "Session not found"},
	} {
		p.record(tt.file, tt.fields...)
		p.want(toldTranscribing)
		p.failed(tt.code, tt.message)
	}
	if n := len(h.tutor.asked); n != 0 {
		t.Errorf("the tutor was asked %d times", n)
	}
	for _, tt := range []struct {
		err           error
		code, message string
	}{
		{session.ErrEnded, "session_ended", "Session has ended"},
		{learn.Errorf(learn.NotFound, "x", "row not found"), "not_found", "Session not found"},
		{&learn.Error{Kind: learn.Unavailable, Msg: "nobody answers", Err: errors.New("secret")}, "unavailable", "Error processing audio: nobody answers"},
		{errors.New("secret"), "internal", "Internal Server Error"},
	} {
		h.tutor.says(func(_ *session.TurnResult, err *error) { *err = tt.err })
		p.record(wavFile(time.Second))
		p.want(toldTranscribing)
		p.failed(tt.code, tt.message)
	}
	h.tutor.says(func(r *session.TurnResult, err *error) { *err, r.Unheard = nil, true })
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	p.failed("not_heard", "I did not catch that. Could you say it again?")
	h.tutor.says(func(r *session.TurnResult, _ *error) {
		r.Unheard, r.Clip, r.VoiceErr = false, nil, errors.New("no voice")
	})
	p.record(wavFile(time.Second))
	response := `{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"` + c + `"}}`
	p.want(toldTranscribing, toldHeard, toldThinking, toldSpeaking, response)
	p.failed("voice_unavailable", "The answer could not be spoken")
	h.tutor.says(func(r *session.TurnResult, _ *error) { r.VoiceErr, r.Clip = nil, make([]byte, wire.MaxOriginalClip+1) })
	p.record(wavFile(time.Second))
	p.want(toldTranscribing, toldHeard, toldThinking, toldSpeaking, response)
	p.failed("voice_unavailable", "The answer could not be spoken")
	h.tutor.says(func(r *session.TurnResult, _ *error) { r.Clip = []byte("ID3 a clip") })
	p.record(wavFile(time.Second))
	p.answered(c)
}

// A turn that takes too long is given up.
func TestOriginalTurnTimeout(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) { l.TurnWait = 10 * time.Millisecond })
	h.tutor.go_ = make(chan struct{})
	p, _ := h.lesson()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	p.failed("unavailable", "Service Unavailable")
}

// A panic ends the connection that it happened to and no other.
func TestOriginalPanic(t *testing.T) {
	h := newOriginalHouse(t)
	other := h.call()
	p, _ := h.lesson()
	h.tutor.says(func(r *session.TurnResult, _ *error) { r.Learner.Content = "boom" })
	h.server.opts.Turns = bomb{}
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	p.closed(websocket.StatusInternalError, "internal_error")
	other.send(`{"type":"ping"}`)
	other.want(`{"type":"pong","payload":{}}`)
	h.roomIsWhole()
}

// bomb is a tutor that panics.
type bomb struct{}

func (bomb) Take(context.Context, session.TurnRequest) (session.TurnResult, error) { panic("boom") }
