package elevenlabs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
)

// Limits of a stream.
const (
	// maxContexts are used of the five that the vendor allows; the fifth is left
	// for the context that a keep-alive without a name implies.
	maxContexts = 4
	// inactivity is what we ask for, the vendor's maximum; keepAlive is how often
	// something is said on an idle socket.
	inactivity = 180 * time.Second
	keepAlive  = 60 * time.Second
	// quietAfterAudio ends an utterance whose text has been flushed and whose audio
	// has begun but whose alignment does not add up.
	quietAfterAudio = 1500 * time.Millisecond
	readLimit       = 4 << 20
	outboxSize      = 8
	chunkQueue      = 48
)

// stream is a learner's warm socket.
type stream struct {
	// Static after dial.
	client    *Client
	conn      *websocket.Conn
	manner    manner
	opener    []byte
	requestID string
	log       *slog.Logger
	watchdog  *time.Timer // closes the connection under a write that takes too long

	outbox chan outgoing   // text, from Write and End to the writer; full: Write waits
	closes chan *utterance // contexts to close; never full unless the peer takes nothing, which ends the stream
	done   chan struct{}   // closed when the stream ends
	work   sync.WaitGroup  // reader and writer

	mu      sync.Mutex
	open    map[string]*utterance // by context: those whose final has not arrived
	current *utterance
	named   int           // contexts so far
	freed   chan struct{} // closed and replaced when one leaves open
	err     error         // why the stream ended
}

// outgoing is text for the writer.
type outgoing struct {
	u     *utterance
	text  string
	flush bool
}

// dial opens the socket and starts its two goroutines.
func (c *Client) dial(ctx context.Context, m manner) (*stream, error) {
	q := url.Values{}
	q.Set("model_id", c.opt.Model)
	q.Set("sync_alignment", "true")
	q.Set("inactivity_timeout", strconv.Itoa(int(inactivity/time.Second)))
	if m.lang != "" {
		q.Set("language_code", m.lang)
	}
	hctx, cancel := context.WithTimeout(ctx, c.opt.DialTimeout)
	defer cancel()
	conn, resp, err := websocket.Dial(hctx, c.address(m, "multi-stream-input", q), &websocket.DialOptions{
		HTTPClient: c.opt.HTTPClient, HTTPHeader: http.Header{"Xi-Api-Key": {c.opt.Key}},
	})
	if err != nil {
		if resp != nil && ctx.Err() == nil {
			var body []byte
			if resp.Body != nil {
				body, _ = io.ReadAll(resp.Body) // the library has read and cut it
			}
			return nil, refusal("open", resp, body)
		}
		return nil, requestError(ctx, "open", err)
	}
	conn.SetReadLimit(readLimit)
	s := &stream{
		client: c, conn: conn, manner: m, opener: m.openerOf(), requestID: requestID(resp.Header), log: c.opt.Log,
		outbox: make(chan outgoing, outboxSize), closes: make(chan *utterance, 4*maxContexts), done: make(chan struct{}),
		open: make(map[string]*utterance), freed: make(chan struct{}),
	}
	s.watchdog = time.AfterFunc(time.Hour, func() { _ = conn.CloseNow() })
	s.watchdog.Stop()
	s.work.Go(s.read)
	s.work.Go(s.write)
	s.log.Debug("elevenlabs: socket open", "request_id", s.requestID)
	return s, nil
}

// Alive implements providers.VoiceStream.
func (s *stream) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil
}

// Close implements providers.VoiceStream.
func (s *stream) Close() error {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if current != nil {
		current.stop()
	}
	s.fail(s.failure("close", errClosed))
	s.work.Wait()
	return nil
}

// Say implements providers.VoiceStream. It cancels the utterance before, if that
// is still in use, and waits for a free context as the package comment says.
func (s *stream) Say(ctx context.Context) (providers.Utterance, error) {
	s.mu.Lock()
	before := s.current
	s.mu.Unlock()
	if before != nil {
		before.Cancel()
	}
	patience := time.NewTimer(s.client.opt.SlotWait)
	defer patience.Stop()
	for {
		u, freed, err := s.begin()
		if u != nil || err != nil {
			return u, err
		}
		select {
		case <-freed:
		case <-s.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-patience.C:
			s.fail(&providers.Error{
				Kind: providers.Overloaded, Vendor: vendor, Op: "say", RequestID: s.requestID,
				Detail: fmt.Sprintf("%d contexts are still closing", maxContexts),
			})
		}
	}
}

// begin makes an utterance, unless the stream has ended (err) or there is no free
// context (freed is closed when one leaves). The interface is nil with either.
func (s *stream) begin() (_ providers.Utterance, freed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, nil, s.err
	}
	if len(s.open) >= maxContexts {
		return nil, s.freed, nil
	}
	s.named++
	u := newUtterance(s, "r"+strconv.Itoa(s.named))
	s.open[u.context] = u
	s.current = u
	return u, nil, nil
}

// release frees the context of an utterance whose final has arrived, or which the
// vendor never heard of.
func (s *stream) release(u *utterance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[u.context] != u {
		return
	}
	delete(s.open, u.context)
	close(s.freed)
	s.freed = make(chan struct{})
}

// isOpen says whether the vendor still holds the utterance's context.
func (s *stream) isOpen(u *utterance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[u.context] == u
}

// failure wraps err for this stream.
func (s *stream) failure(op string, err error) error {
	return closeError(op, s.requestID, err)
}

// fail ends the stream: the first reason stands, and every call returns it.
func (s *stream) fail(err error) {
	s.mu.Lock()
	first := s.err == nil
	if first {
		s.err = err
		close(s.done)
		for _, u := range s.open {
			u.quiet.Stop()
		}
	}
	s.mu.Unlock()
	if !first {
		return
	}
	if !errors.Is(err, errClosed) {
		s.log.Info("elevenlabs: socket lost", "request_id", s.requestID, "err", err)
	}
	// No closing handshake: a peer that does not answer must not hold up Close.
	_ = s.conn.CloseNow()
}

// reason is why the stream ended; valid once done is closed.
func (s *stream) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// closeContext has the writer close a context. It never blocks.
func (s *stream) closeContext(u *utterance) {
	select {
	case s.closes <- u:
	default:
		s.fail(s.failure("speak", errors.New("the vendor takes no messages")))
	}
}

// write sends what it is given until the stream ends. It alone writes.
func (s *stream) write() {
	idle := time.NewTimer(keepAlive)
	defer idle.Stop()
	defer s.watchdog.Stop()
	var buf []byte
	for {
		buf = buf[:0]
		select { // closing contexts comes first
		case u := <-s.closes:
			buf = s.appendClose(buf, u)
		default:
			select {
			case u := <-s.closes:
				buf = s.appendClose(buf, u)
			case m := <-s.outbox:
				if !s.writeText(m) {
					return
				}
			case <-idle.C:
				buf = append(buf, `{"text":""}`...)
			case <-s.done:
				return
			}
		}
		if len(buf) > 0 && !s.put(buf) {
			return
		}
		idle.Reset(keepAlive)
	}
}

// appendClose appends the message that closes a context, or frees one that the
// vendor never heard of.
func (s *stream) appendClose(b []byte, u *utterance) []byte {
	u.shut = true
	if !u.opened {
		s.release(u)
		return b
	}
	if !s.isOpen(u) {
		return b
	}
	return appendFlag(b, u.context, "close_context")
}

// writeText sends text, and before the first of a context its settings.
func (s *stream) writeText(m outgoing) bool {
	if m.u.shut || m.u.cancelled() {
		return true
	}
	if !m.u.opened {
		m.u.opened = true
		if !s.put(appendOpen(nil, m.u.context, s.opener)) {
			return false
		}
	}
	if m.text == "" {
		return s.put(appendFlag(nil, m.u.context, "flush"))
	}
	return s.put(appendText(nil, m.u.context, m.text, m.flush))
}

// put writes one message under the watchdog; false when the stream has ended.
func (s *stream) put(b []byte) bool {
	s.watchdog.Reset(s.client.opt.WriteTimeout)
	err := s.conn.Write(context.Background(), websocket.MessageText, b)
	s.watchdog.Stop()
	if err != nil {
		s.fail(s.failure("speak", err))
		return false
	}
	return true
}
