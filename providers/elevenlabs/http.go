package elevenlabs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"kalami/providers"
)

// Limits of speaking over HTTP.
const (
	// clauseQueue are flushed clauses that wait for their request; full: Write waits.
	clauseQueue = 8
	// maxPrevious bounds, in bytes, how much of what was said goes along for the melody.
	maxPrevious = 500
	// maxRefusal bounds what is read of an error answer.
	maxRefusal = 16 << 10
)

// httpStream speaks with one request per flushed clause. There is nothing to keep
// warm but the connection, which the HTTP client keeps.
type httpStream struct {
	// Static.
	client *Client
	manner manner
	ctx    context.Context // ends with Close
	end    context.CancelCauseFunc
	work   sync.WaitGroup // one goroutine per utterance in use

	mu      sync.Mutex
	current *httpUtterance
}

func (c *Client) openHTTP(m manner) *httpStream {
	s := &httpStream{client: c, manner: m}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	return s
}

// Alive implements providers.VoiceStream.
func (s *httpStream) Alive() bool { return s.ctx.Err() == nil }

// Close implements providers.VoiceStream.
func (s *httpStream) Close() error {
	s.mu.Lock()
	s.end(providers.ErrCancelled)
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// Say implements providers.VoiceStream. It cancels the utterance before and does
// not wait.
func (s *httpStream) Say(ctx context.Context) (providers.Utterance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return nil, closeError("say", "", errClosed)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	if s.current != nil {
		s.current.Cancel()
	}
	u := &httpUtterance{
		stream: s, clock: clock{rate: s.manner.rate}, clauses: make(chan string, clauseQueue),
		chunks: make(chan providers.Chunk, chunkQueue), over: make(chan struct{}), gone: make(chan struct{}),
	}
	u.ctx, u.end = context.WithCancelCause(s.ctx)
	s.current = u
	s.work.Go(u.run)
	return u, nil
}

// httpUtterance is one reply, spoken clause by clause.
type httpUtterance struct {
	// Static.
	stream  *httpStream
	ctx     context.Context // of the requests; ends with Cancel, Close and run
	end     context.CancelCauseFunc
	clauses chan string          // closed by End
	chunks  chan providers.Chunk // run to Next
	gone    chan struct{}        // closed by Cancel
	over    chan struct{}        // closed by run when nothing more is handed out; err is set before
	err     error                // nil for the orderly end

	goneOnce sync.Once

	// Owned by whoever writes text.
	buffer string
	ended  bool

	// Owned by run.
	clock clock
	said  string
}

// Write implements providers.Utterance.
func (u *httpUtterance) Write(ctx context.Context, text string, flush bool) error {
	if u.ended {
		return invalid("speak", "text after the end")
	}
	u.buffer += text
	if !flush {
		return u.state(ctx)
	}
	return u.flush(ctx)
}

// flush queues what was written.
func (u *httpUtterance) flush(ctx context.Context) error {
	if err := u.state(ctx); err != nil {
		return err
	}
	if _, letters := prepare(u.buffer); letters == 0 {
		return nil
	}
	select {
	case u.clauses <- u.buffer:
		u.buffer = ""
		return nil
	case <-u.over:
	case <-u.gone:
	case <-ctx.Done():
	}
	return u.state(ctx)
}

// state is why nothing can be written any more, or nil.
func (u *httpUtterance) state(ctx context.Context) error {
	switch {
	case u.cancelled():
		return providers.ErrCancelled
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	select {
	case <-u.over:
		return u.err
	default:
		return nil
	}
}

func (u *httpUtterance) cancelled() bool {
	select {
	case <-u.gone:
		return true
	default:
		return false
	}
}

// End implements providers.Utterance.
func (u *httpUtterance) End(ctx context.Context) error {
	if u.ended {
		return u.state(ctx)
	}
	if err := u.flush(ctx); err != nil {
		return err
	}
	u.ended = true
	close(u.clauses)
	return nil
}

// Next implements providers.Utterance. What arrived before a failure is returned
// before it.
func (u *httpUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.cancelled() {
		return providers.Chunk{}, providers.ErrCancelled
	}
	select {
	case c := <-u.chunks:
		return c, nil
	default:
	}
	select {
	case c := <-u.chunks:
		return c, nil
	case <-u.gone:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	case <-u.over:
	}
	select { // more may have been handed out meanwhile
	case c := <-u.chunks:
		return c, nil
	default:
	}
	if u.err != nil {
		return providers.Chunk{}, u.err
	}
	return providers.Chunk{}, io.EOF
}

// Cancel implements providers.Utterance: the request is aborted.
func (u *httpUtterance) Cancel() {
	u.goneOnce.Do(func() { close(u.gone) })
	u.end(providers.ErrCancelled)
}

// run speaks the clauses one after the other.
func (u *httpUtterance) run() {
	defer u.end(nil)
	defer close(u.over)
	for {
		select {
		case clause, ok := <-u.clauses:
			if !ok {
				return
			}
			if u.err = u.speak(clause); u.err != nil {
				return
			}
			u.said += clause
		case <-u.ctx.Done():
			u.err = context.Cause(u.ctx)
			return
		}
	}
}

// speakRequest is the body of a synthesis.
type speakRequest struct {
	Text     string          `json:"text"`
	Model    string          `json:"model_id"`
	Language string          `json:"language_code,omitempty"`
	Previous string          `json:"previous_text,omitempty"`
	Settings json.RawMessage `json:"voice_settings"`
}

// speak requests one clause and hands out its audio.
func (u *httpUtterance) speak(clause string) error {
	c, m := u.stream.client, u.stream.manner
	body, err := json.Marshal(speakRequest{
		Text: clause, Model: c.opt.Model, Language: m.lang, Previous: lastBytes(u.said, maxPrevious),
		Settings: bytes.TrimPrefix(m.voiceSettings(), []byte(`"voice_settings":`)),
	})
	if err != nil {
		return invalid("speak", err.Error())
	}
	ctx, cancel := context.WithCancelCause(u.ctx)
	defer cancel(nil)
	patience := time.AfterFunc(c.opt.DialTimeout, func() {
		cancel(&providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "speak", Detail: "the answer does not go on"})
	})
	defer patience.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(m, "stream/with-timestamps", url.Values{}), bytes.NewReader(body))
	if err != nil {
		return invalid("speak", err.Error())
	}
	req.Header.Set("Xi-Api-Key", c.opt.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.opt.HTTPClient.Do(req)
	if err != nil {
		return requestError(ctx, "speak", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		return refusal("speak", resp, b)
	}
	return u.receive(ctx, resp, patience)
}

// receive hands out an answer's audio. The answer's own end is its terminal
// message: HTTP says when a body was cut short.
func (u *httpUtterance) receive(ctx context.Context, resp *http.Response, patience *time.Timer) error {
	id := requestID(resp.Header)
	broken := func(err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "speak", RequestID: id, Err: err}
	}
	dec := json.NewDecoder(resp.Body)
	base, before := u.clock.ms(), u.clock.samples
	var m message
	var raw json.RawMessage
	for {
		patience.Reset(u.stream.client.opt.DialTimeout)
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return broken(err)
		}
		patience.Stop()
		if err := parseMessage(raw, &m); err != nil {
			return broken(err)
		}
		if len(m.detail) > 0 {
			code, text := explain(raw)
			return &providers.Error{Kind: classify(0, code, text), Vendor: vendor, Op: "speak", RequestID: id, Detail: shorten(code + ": " + text)}
		}
		if err := u.deliver(ctx, &m, base); err != nil {
			return broken(err)
		}
	}
	if u.clock.samples == before {
		return broken(errors.New("the answer has no audio"))
	}
	return nil
}

// deliver hands out one object's audio. Here times count from the start of the
// answer, which began at base; times that would go backwards count from the
// object's own audio, as on the socket.
func (u *httpUtterance) deliver(ctx context.Context, m *message, base int) error {
	at := u.clock.ms()
	align := &m.align
	if len(align.chars) == 0 {
		align = &m.normal
	}
	pcm, err := u.clock.decode(m.audio)
	if err != nil {
		return err
	}
	c := providers.Chunk{PCM: pcm}
	c.Marks, _ = align.marks()
	if len(c.Marks) > 0 && base+c.Marks[0].StartMS < u.clock.start {
		base = at
	}
	u.clock.place(c.Marks, base)
	if len(c.PCM) == 0 && len(c.Marks) == 0 {
		return nil
	}
	select {
	case u.chunks <- c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastBytes returns the end of s, at most n bytes, from a whole character on.
func lastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	for i := range s {
		if s[i]&0xc0 != 0x80 {
			return s[i:]
		}
	}
	return ""
}
