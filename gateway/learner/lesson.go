package learner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kalami/session"
)

const (
	// attachWait bounds one attempt to open a socket and to be let in.
	attachWait = 5 * time.Second
	// lookEvery is how often a lesson looks after its socket.
	lookEvery = 500 * time.Millisecond
	// deadAir is how long a reply may be due and nothing come at all.
	deadAir = 3 * time.Second
	// ackEvery and ackEvents are how often received events are acknowledged.
	ackEvery  = 2 * time.Second
	ackEvents = 32
	// heldMost is how many events of a socket are held while the next is opened; a server
	// that sends more loses the socket.
	heldMost = 1024
	// settled is how long a socket lasts that was worth having: after it, attempts to come
	// back begin anew.
	settled = time.Second
)

// The ends of a socket that the client sees by itself.
var (
	errSilent = errors.New("learner: nothing has come from the server for too long")
	errHole   = errors.New("learner: events of the server are missing")
	errRefuse = errors.New("learner: the server did not let the client in")
)

// ErrAway says that a lesson has no socket at the moment.
var ErrAway = errors.New("learner: the connection is lost, and not back yet")

// Return says how a lesson has come back to its session, or to the conversation.
type Return struct {
	// Planned: the server had asked to move; the old socket was there until then.
	Planned bool
	// Warm: the session never stopped. Restarted: what was missed could not be proven.
	// Fresh: it is a new session that goes on with the conversation.
	Warm, Restarted, Fresh bool
	// Away is the time without a socket as the client noticed it, Attempts how often it
	// tried, and Again how many mic frames are sent again.
	Away     time.Duration
	Attempts int
	Again    int
}

// Lesson is a conversation that outlives its sockets: when one is lost it comes back by
// itself, sends again what the server has not got of the last 15 s, and goes on playing
// where it was. Run holds it; Send, End and one microphone may be used meanwhile. The
// handler's functions may call Send and End, and nothing else of the lesson.
type Lesson struct {
	handler Handler
	player  *player
	ear     *ear
	ring    ring
	typed   typed
	dial    dialer
	// ticket buys a ticket for a conversation, or for a new one.
	ticket func(ctx context.Context, conversation string) (ticket, url string, err error)
	// cur is the socket whose session is ours; nil while there is none.
	cur    atomic.Pointer[link]
	ending atomic.Bool
	move   chan session.Reconnecting // the server asks to come back elsewhere
	first  *link
	// leaving are old sockets that are being closed.
	leaving sync.WaitGroup

	mu           sync.Mutex // guards what follows, and is held when the handler is told
	url          string
	token        string
	rival        rival
	sessionID    string
	conversation string
	window       time.Duration // for which the token is good without a socket
	timeout      time.Duration // of silence
	seq          uint64        // of the last event
	acked        uint64
	ackedAt      time.Time
	back         Return // how the next socket comes to be
	lostAt       time.Time
	upAt         time.Time
	// holding says that the next socket was told which events are known: what the last one
	// brings since is kept in held, until it is clear which of them counts.
	holding bool
	held    []heldEvent
}

// heldEvent is an event that may be told again by another socket.
type heldEvent struct {
	head  session.Head
	event session.Event
}

// Lesson opens the first socket of a lesson, and returns when its session has begun. Run
// it, which also frees it.
func (a *Account) Lesson(ctx context.Context, w Wish, h Handler) (*Lesson, error) {
	ticket := func(ctx context.Context, conversation string) (string, string, error) {
		if conversation != "" {
			w.ConversationID, w.Topic = conversation, ""
		}
		return a.Ticket(ctx, w)
	}
	return begin(ctx, dialWebSocket, ticket, h)
}

func begin(ctx context.Context, dial dialer, ticket func(context.Context, string) (string, string, error), h Handler) (*Lesson, error) {
	l := &Lesson{handler: h, ear: newEar(), dial: dial, ticket: ticket, move: make(chan session.Reconnecting, 1), timeout: 15 * time.Second}
	l.player = newPlayer(l.ear, h, func(ctl session.Control) {
		if h.Report != nil {
			h.Report(ctl)
		}
		if !h.Mute {
			_ = l.Send(ctl) // while there is no socket, session.resume says it in time
		}
	})
	var err error
	if l.first, err = l.attach(ctx, renew); err != nil {
		return nil, err
	}
	return l, nil
}

// Run holds the lesson until it is over: nil when the server closed it normally, else the
// close that it does not come back from (see [websocket.CloseStatus]), a refusal
// (*StatusError), or the cause of ctx, whose end drops the connection without a word.
func (l *Lesson) Run(ctx context.Context) error {
	defer l.leaving.Wait()
	defer l.player.stop()
	k := l.first
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var moveAt <-chan time.Time
	for tries := 0; ; {
		select {
		case <-ctx.Done():
			k.fail(context.Cause(ctx))
			return k.join()
		case <-k.gone:
			next, err := l.comeBack(ctx, l.lost(k))
			if next == nil {
				return err
			}
			k, tries, moveAt = next, 0, nil
		case to := <-l.move:
			tries, moveAt = 0, time.After(l.heed(to))
		case <-moveAt:
			moveAt = nil
			if next := l.moveOn(ctx, k); next != nil {
				k = next
			} else {
				tries++
				moveAt = time.After(pauseBefore(tries))
			}
		case <-look.C:
			l.look(k)
		}
	}
}

// lost notes that the socket is gone, and returns why.
func (l *Lesson) lost(k *link) error {
	l.cur.CompareAndSwap(k, nil)
	err := k.join()
	if websocket.CloseStatus(err) == websocket.StatusInternalError {
		l.typed.giveUp()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holding, l.held = false, nil // the return tells them again
	l.lostAt = time.Now()
	l.tellLost(err)
	return err
}

// tellLost tells the handler; l.mu is held.
func (l *Lesson) tellLost(err error) {
	if l.handler.Lost != nil {
		l.handler.Lost(err)
	}
}

// comeBack tries until it has a socket again. It returns no link when the lesson is
// over, with the reason, which is nil when it ended as it should.
func (l *Lesson) comeBack(ctx context.Context, cause error) (*link, error) {
	renewed := false
	attempt := 0
	if l.lasted() < settled {
		attempt = 1
	}
	how := resume
	for tries := 1; ; tries++ {
		switch does := remedyFor(cause); {
		case l.ownDoing(cause):
			how = resume
		case does == stop, does == renewOnce && renewed, l.ending.Load() && does != resume:
			return nil, l.verdict(cause)
		case does != resume:
			renewed = renewed || does == renewOnce
			how = renew
		case how == resume && !l.resumable():
			how = renew
		}
		if err := sleep(ctx, max(pauseBefore(attempt), hinted(cause, how))); err != nil {
			return nil, err
		}
		attempt++
		l.expect(Return{Attempts: tries})
		k, err := l.attach(ctx, how)
		if err == nil {
			return k, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		cause = err
	}
}

// verdict is what Run returns for the end of a lesson.
func (l *Lesson) verdict(cause error) error {
	if websocket.CloseStatus(cause) == websocket.StatusNormalClosure {
		return nil
	}
	if l.ending.Load() && remedyFor(cause) == renew { // it has ended; only the answer was lost
		return nil
	}
	return cause
}

// moveOn opens the next socket while the old one is still there, and closes the old one
// when the session is at the new. It returns nil when that did not work.
func (l *Lesson) moveOn(ctx context.Context, old *link) *link {
	l.expect(Return{Planned: true, Attempts: 1})
	k, err := l.attach(ctx, resume)
	if err != nil {
		l.letGo(old)
		return nil
	}
	l.leaving.Go(old.leave) // whose server may take its time
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellLost(nil)
	return k
}

// attach opens a socket, by the resume token or with a new ticket, and waits until the
// session is there.
func (l *Lesson) attach(ctx context.Context, how remedy) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, attachWait)
	defer cancel()
	l.mu.Lock()
	credential, url := l.token, l.url
	conversation := l.conversation
	l.mu.Unlock()
	if how != resume {
		var err error
		if credential, url, err = l.ticket(ctx, conversation); err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.url = url
		l.mu.Unlock()
	}
	conn, err := l.dial(ctx, url, credential)
	if err != nil {
		return nil, err // the server has heard nothing of it
	}
	k := newLink(conn, l.take, &l.ring, l.handler.Sent)
	if how == resume {
		_ = k.send(l.resumption()) // the end of the link says it too
	}
	select {
	case <-k.up:
		return k, nil
	case <-k.gone:
	case <-ctx.Done():
		k.fail(fmt.Errorf("%w in time: %w", errRefuse, ctx.Err()))
	}
	err = k.join()
	if how == resume {
		l.giveUp(credential, err)
	}
	if k.refused != nil {
		err = fmt.Errorf("%s: %w", k.refused.Message, err)
	}
	return nil, err
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Mic returns the lesson's microphone for PCM16 at rate hertz. Run sends it, also while
// the connection is lost: what was said meanwhile follows. It ends with its context alone.
func (l *Lesson) Mic(rate int) *Mic { return &Mic{line: l, rate: rate} }

// mouth and place implement outlet.
func (l *Lesson) mouth() *ear   { return l.ear }
func (l *Lesson) place() uint32 { return l.ring.place() }

// writeFrame implements outlet. It does not block.
func (l *Lesson) writeFrame(pcm []byte) error {
	l.ring.add(pcm)
	if k := l.cur.Load(); k != nil {
		k.grown()
	}
	return nil
}

// Send tells the server something. It does not block; an event that is queued may be lost
// with the connection. A typed message is not: it is said again at each return until the
// server has named it, and first when there is no connection now. Errors: [ErrAway],
// [ErrUnconfirmed].
func (l *Lesson) Send(ctl session.Control) error {
	if item, ok := ctl.(session.CreateItem); ok {
		item, err := l.typed.add(item)
		if err != nil {
			return err
		}
		if k := l.cur.Load(); k != nil {
			_ = k.send(item) // the end of the link says it too
		}
		return nil
	}
	k := l.cur.Load()
	if k == nil {
		return ErrAway
	}
	return k.send(ctl)
}

// End asks the server to end the lesson, now or when the connection is back; Run returns
// when it has.
func (l *Lesson) End() {
	l.ending.Store(true)
	_ = l.Send(session.EndSession{}) // while away, it is said at the return
}

// Taken is how many frames the microphone has taken in this session.
func (l *Lesson) Taken() int { return int(l.ring.taken()) }

// Conversation is the conversation's id.
func (l *Lesson) Conversation() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conversation
}
