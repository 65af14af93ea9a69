package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

const (
	// maxOriginalJobs is how many messages of one client may wait for their turn, and
	// maxOriginalTurns how many recordings among them, with the one that is being
	// answered. What is beyond is refused.
	maxOriginalJobs  = 8
	maxOriginalTurns = 2
	// originalRate and originalBurst are how many messages a client may send per second
	// and at once. The app sends a few in a minute, and chunks of a recording at most ten
	// in a second.
	originalRate, originalBurst = 20, 60
)

// originalJob is a message whose answer takes time.
type originalJob struct {
	// do answers it; ctx ends when nobody wants the answer any more.
	do func(ctx context.Context)
	// free gives back what the job holds, after do or instead of it.
	free func()
}

// originalTalk is one connection of the original's app. One goroutine reads and answers
// what costs nothing; another works through the rest, one job after another, and owns the
// conversation; a third keeps the line alive. What was accepted is worked off when the
// client is lost: the answer is in the history when the learner comes back. Only a node
// that must stop, or a user who is no longer welcome, cuts it short.
type originalTalk struct {
	// Static after newTalk.
	server   *Server
	conn     *originalConn
	id       string
	tenantID string
	user     learn.User // as the token was checked
	log      *slog.Logger
	jobs     chan originalJob

	// turns counts the recordings that wait or are being answered.
	turns atomic.Int32

	// Owned by the reader.
	chunks *originalChunks // nil outside start_recording and stop_recording
	events meter

	// Owned by the worker.
	conversation learn.Conversation // zero before the first
	profile      learn.Profile      // the conversation's
	answered     int
	unwelcome    *session.End // the user's sessions were ended; nil otherwise
}

// run talks until the socket ends, and closes it.
func (t *originalTalk) run(ctx context.Context) {
	began := time.Now()
	stop, end := context.WithCancelCause(ctx)
	defer end(nil)
	limit := time.AfterFunc(t.conn.limits.MaxDuration, func() { end(&session.End{Reason: session.EndMaxDuration}) })
	defer limit.Stop()
	// Who is logged out waits for no answer; who is merely lost finds it in the history.
	defer context.AfterFunc(stop, func() {
		if endOf(context.Cause(stop)).Reason == session.EndUnauthorised {
			t.conn.abort()
		}
	})()
	t.log.Info("original socket opened")
	_ = t.conn.say(wire.OriginalConnected{ConnectionID: t.id}) // the reader learns of a failure
	var others sync.WaitGroup
	others.Go(func() { end(t.guarded(func() *session.End { return t.read(stop) })) })
	others.Go(func() { end(t.guarded(func() *session.End { return t.watch(stop) })) })
	if e := t.guarded(func() *session.End { return t.work(stop) }); e != nil {
		end(e)
	}
	last := endOf(context.Cause(stop))
	t.conn.close(last)
	others.Wait()
	t.drop()
	t.log.Info("original socket closed", "reason", string(last.Reason), "turns", t.answered,
		"duration_ms", time.Since(began).Milliseconds(), "err", last.Err)
}

// guarded turns a panic into the end of this connection alone.
func (t *originalTalk) guarded(f func() *session.End) (end *session.End) {
	defer func() {
		if p := recover(); p != nil {
			end = &session.End{Reason: session.EndInternal, Code: session.InternalError, Err: panicked(p)}
		}
	}()
	return f()
}

// watch pings the client, and ends the socket when its user may not be here any more.
func (t *originalTalk) watch(stop context.Context) *session.End {
	tick := time.NewTicker(t.conn.limits.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop.Done():
			return endOf(context.Cause(stop))
		case <-tick.C:
		}
		if _, err := t.welcome(stop); err != nil {
			if end, gone := errors.AsType[*session.End](err); gone {
				return end
			}
			t.log.Warn("a user could not be looked up", "err", err) // that ends nobody
		}
		t.conn.ping()
	}
}

// welcome reads the user again. The error is an *[session.End] when the user is gone or
// was logged out everywhere.
func (t *originalTalk) welcome(ctx context.Context) (learn.User, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	u, err := t.server.opts.Users.UserByID(ctx, t.user.ID)
	switch {
	case err != nil && learn.KindOf(err) == learn.NotFound, err == nil && u.TokenVersion != t.user.TokenVersion:
		return learn.User{}, &session.End{Reason: session.EndUnauthorised, Err: err}
	}
	return u, err
}

// read takes the client's messages until the connection is over.
func (t *originalTalk) read(stop context.Context) *session.End {
	for {
		kind, data, err := t.conn.receive()
		if skipped, ok := errors.AsType[*skippedMessage](err); ok {
			t.failWith(skipped)
			continue
		}
		if err != nil {
			return originalReadEnd(err)
		}
		switch t.events.take(1) {
		case flowPass:
			t.message(stop, kind, data)
		case flowDropFirst:
			t.fail(string(session.RateLimited), "Messages come too fast; some are dropped")
		case flowDrop:
		case flowFlood:
			return flooded("messages")
		}
	}
}

// originalReadEnd says why a failed read ends the connection.
func originalReadEnd(err error) *session.End {
	if end, ok := errors.AsType[*session.End](err); ok {
		return end
	}
	if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
		return &session.End{Reason: session.EndNormal}
	}
	return &session.End{Reason: session.EndGone, Err: err}
}

// message takes one message. The kind of its frame says little: the original told JSON
// from audio by the first byte.
func (t *originalTalk) message(stop context.Context, kind websocket.MessageType, data []byte) {
	if !wire.OriginalIsJSON(data) {
		if kind == websocket.MessageBinary {
			t.chunk(data)
		} else {
			t.fail("invalid", wire.OriginalInvalid)
		}
		return
	}
	m, err := wire.DecodeOriginal(data)
	switch {
	case errors.Is(err, wire.ErrOriginalAudioSize):
		t.failWith(errRecordingTooLarge())
		return
	case err != nil:
		t.log.Debug("a message cannot be read", "err", err)
		t.fail("invalid", wire.OriginalInvalid)
		return
	}
	switch m := m.(type) {
	case wire.OriginalPing:
		_ = t.conn.say(wire.OriginalPong{})
	case wire.OriginalHeartbeat:
		if m.Ping { // the app answers ours too, so that an answer to anything else would echo for ever
			_ = t.conn.say(wire.OriginalHeartbeatAnswer{Pong: true})
		}
	case wire.OriginalStartRecording:
		t.startRecording()
	case wire.OriginalStopRecording:
		t.stopRecording(stop)
	case wire.OriginalAudio:
		t.acceptTurn(stop, m, t.conn.letGo(len(m.Audio)))
	case wire.OriginalStartSession:
		t.accept(stop, originalJob{do: func(ctx context.Context) { t.startSession(ctx, m) }, free: func() {}})
	case wire.OriginalEndSession:
		t.accept(stop, originalJob{do: t.endSession, free: func() {}})
	case wire.OriginalUnknown: // clients may know more than we
	}
}

// accept queues a job, or frees and refuses it when there are too many or the socket ends.
func (t *originalTalk) accept(stop context.Context, job originalJob) {
	if stop.Err() == nil {
		select {
		case t.jobs <- job:
			return
		default:
		}
	}
	job.free()
	t.fail("busy", "Too many messages are waiting, please try again")
}

// work does one job after another until the socket ends, and then those that had been
// accepted.
func (t *originalTalk) work(stop context.Context) *session.End {
	do := func(job originalJob) {
		defer job.free()
		job.do(t.conn.ctx)
	}
	for t.unwelcome == nil && t.conn.ctx.Err() == nil {
		select {
		case job := <-t.jobs:
			do(job)
			continue
		default:
		}
		select {
		case job := <-t.jobs:
			do(job)
		case <-stop.Done():
			if len(t.jobs) == 0 {
				return nil
			}
		}
	}
	return t.unwelcome
}

// drop frees what came too late. Nobody reads and nobody works any more.
func (t *originalTalk) drop() {
	t.dropChunks()
	for len(t.jobs) > 0 {
		(<-t.jobs).free()
	}
}

// fail tells the client what went wrong; the connection goes on.
func (t *originalTalk) fail(code, message string) {
	_ = t.conn.say(wire.OriginalFailure{Message: message, Code: code}) // the reader learns of a lost client
}
