package simulate

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// socket accepts or refuses a socket as recorded and plays the vendor's part.
func (p *Replay) socket(w http.ResponseWriter, r *http.Request, t *take) {
	opened := time.Now()
	if !t.answered { // the vendor was not there, or the client left
		p.untilGone(r, t, opened)
		panic(http.ErrAbortHandler)
	}
	handshake, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	if !p.await(handshake, opened, t.answer) {
		return
	}
	if t.status != http.StatusSwitchingProtocols {
		t.begin(w)
		_, _ = w.Write(t.answer.b) // the client has left: nobody minds
		return
	}
	t.setHeaders(w.Header())
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any page may talk to a replay
		Subprotocols:       []string{"token", "bearer"},
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(maxSocketMessage)
	s := &replayedSocket{replay: p, take: t, conn: conn, opened: opened, heard: make(chan struct{}, 1)}
	s.run()
}

// untilGone waits as long as an attempt without an answer took then.
func (p *Replay) untilGone(r *http.Request, t *take, opened time.Time) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	if t.ending.Dir == Down {
		p.await(ctx, opened, t.end)
		return
	}
	<-ctx.Done()
}

// replayedSocket is an accepted socket. One goroutine counts what the client sends,
// the handler's own speaks, one closes everything when it is over.
type replayedSocket struct {
	// Static.
	replay *Replay
	take   *take
	conn   *websocket.Conn
	opened time.Time

	sent  atomic.Int64  // the client's messages
	heard chan struct{} // sent has grown; one waiting is enough
}

// run returns when the socket is closed.
func (s *replayedSocket) run() {
	ctx, cancel := context.WithCancel(s.replay.ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		defer cancel()
		s.count()
	})
	beside.Go(func() {
		<-ctx.Done()
		_ = s.conn.CloseNow()
	})
	s.speak(ctx)
	cancel()
	beside.Wait()
}

// count reads until the client is gone.
func (s *replayedSocket) count() {
	for {
		_, b, err := s.conn.Read(context.Background())
		if err != nil {
			return
		}
		if keepsAlive(s.take.path, b) {
			continue
		}
		s.sent.Add(1)
		select {
		case s.heard <- struct{}{}:
		default:
		}
	}
}

// speak sends what the vendor sent and ends as the socket ended then.
func (s *replayedSocket) speak(ctx context.Context) {
	for _, c := range s.take.cues {
		if !s.await(ctx, c) {
			return
		}
		kind := websocket.MessageText
		if c.kind == KindBinary {
			kind = websocket.MessageBinary
		}
		if s.conn.Write(context.Background(), kind, c.b) != nil {
			return
		}
	}
	end := s.take.ending
	switch {
	case end.Dir != Down:
		<-ctx.Done() // then the client had closed, or the recording stopped
	case !s.await(ctx, s.take.end):
	case end.Status == closeCut:
		_ = s.conn.CloseNow()
	default:
		_ = s.conn.Close(websocket.StatusCode(end.Status), string(end.Payload())) // the client may be gone
	}
}

// await waits for a cue: for its time, and for the client to have said as much as
// it had then. false when ctx ended before.
func (s *replayedSocket) await(ctx context.Context, c cue) bool {
	if !s.replay.await(ctx, s.opened, c) {
		return false
	}
	for s.sent.Load() < int64(c.sent) {
		select {
		case <-s.heard:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
