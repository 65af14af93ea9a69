package learner

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// maxOut is how many events may wait for a link's writer. A server that takes none of
// them any more is as good as gone.
const maxOut = 256

// errStuck ends a socket whose server does not read.
var errStuck = errors.New("learner: the server does not take what is sent")

// link is one socket of a lesson. Its reader hands all that comes to the lesson; its
// writer sends events before mic frames, so that nobody who speaks or listens waits for
// the network.
type link struct {
	conn transport
	out  chan []byte
	// start gets the place in the ring from which on to send, once the session is ours;
	// more says that the ring has grown.
	start chan cursor
	more  chan struct{}
	// up is closed when the session is ours, gone when the socket has ended, for err.
	up, gone chan struct{}
	end      sync.Once
	err      error // set before gone is closed

	lastRead atomic.Int64 // unix nanoseconds
	work     sync.WaitGroup
	// refused is what the server said before it closed a socket that never was ours;
	// owned by the reader until gone is closed.
	refused *session.Problem
}

// newLink starts a link over conn. Join it.
func newLink(conn transport, take func(*link, websocket.MessageType, []byte) error, r *ring, sent func(session.Frame)) *link {
	k := &link{conn: conn, out: make(chan []byte, maxOut), start: make(chan cursor, 1), more: make(chan struct{}, 1),
		up: make(chan struct{}), gone: make(chan struct{})}
	k.lastRead.Store(time.Now().UnixNano())
	k.work.Go(func() { k.fail(k.read(take)) })
	k.work.Go(func() { k.fail(k.writeAll(r, sent)) })
	return k
}

// read passes everything on until the socket ends.
func (k *link) read(take func(*link, websocket.MessageType, []byte) error) error {
	for {
		kind, data, err := k.conn.Read()
		if err != nil {
			return err
		}
		k.lastRead.Store(time.Now().UnixNano())
		if err := take(k, kind, data); err != nil {
			return err
		}
	}
}

// writeAll sends what there is to send until the socket ends.
func (k *link) writeAll(r *ring, sent func(session.Frame)) error {
	var at cursor
	var more chan struct{} // nil until there is a place to start from
	var buf []byte
	for {
		select { // events come first
		case data := <-k.out:
			if err := k.conn.Write(websocket.MessageText, data); err != nil {
				return err
			}
			continue
		default:
		}
		if more != nil {
			message, f, ok := r.encode(&at, buf[:0])
			if buf = message; ok {
				if sent != nil {
					sent(f)
				}
				if err := k.conn.Write(websocket.MessageBinary, message); err != nil {
					return err
				}
				continue
			}
		}
		select {
		case data := <-k.out:
			if err := k.conn.Write(websocket.MessageText, data); err != nil {
				return err
			}
		case at = <-k.start:
			more = k.more
		case <-more:
		case <-k.gone:
			return nil
		}
	}
}

// send queues an event. It does not block.
func (k *link) send(ctl session.Control) error {
	var id string // by which an error names a typed message
	if item, ok := ctl.(session.CreateItem); ok {
		id = item.ID
	}
	data, err := wire.EncodeControl(id, ctl)
	if err != nil {
		return err
	}
	select {
	case k.out <- data:
		return nil
	case <-k.gone:
		return k.err
	default:
		k.fail(errStuck)
		return errStuck
	}
}

// grown says that the ring has another frame.
func (k *link) grown() {
	select {
	case k.more <- struct{}{}:
	default: // the writer knows
	}
}

// fail ends the link for err, unless it has ended already.
func (k *link) fail(err error) {
	k.end.Do(func() {
		k.err = err
		close(k.gone)
		k.conn.Abort()
	})
}

// join waits until nothing of an ended link runs any more, and returns why it ended.
func (k *link) join() error {
	<-k.gone
	k.work.Wait()
	return k.err
}

// leave closes the link normally, in the background of whoever joins it.
func (k *link) leave() {
	_ = k.conn.Close() // it may have ended by itself
	k.fail(nil)
	k.work.Wait()
}

// silence is how long nothing has come.
func (k *link) silence() time.Duration { return time.Since(time.Unix(0, k.lastRead.Load())) }
