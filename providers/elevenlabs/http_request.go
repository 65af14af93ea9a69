package elevenlabs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kalami/providers"
)

// Limits of one request.
const (
	// maxPrevious bounds, in bytes, how much of what was said goes along for the melody.
	maxPrevious = 500
	// maxRefusal bounds what is read of an error answer.
	maxRefusal = 16 << 10
	// barePieceMS is how much audio without timestamps makes a chunk.
	barePieceMS = 100
)

// speakRequest is the body of a synthesis.
type speakRequest struct {
	Text     string          `json:"text"`
	Model    string          `json:"model_id"`
	Language string          `json:"language_code,omitempty"`
	Previous string          `json:"previous_text,omitempty"`
	Settings json.RawMessage `json:"voice_settings"`
}

// speak requests one clause and hands out its audio. Services that imitate this
// one may lack timestamps: they are then asked for audio alone.
func (u *httpUtterance) speak(clause string) error {
	if u.stream.bare.Load() {
		return u.request(clause, "stream", u.receiveBare)
	}
	err := u.request(clause, "stream/with-timestamps", u.receive)
	if lacksEndpoint(err) {
		u.stream.bare.Store(true)
		return u.request(clause, "stream", u.receiveBare)
	}
	return err
}

// lacksEndpoint says whether the address was not known, which the vendor's own
// errors (a voice that is not known) explain by a code.
func lacksEndpoint(err error) bool {
	refused, ok := errors.AsType[*refusedError](err)
	return ok && (refused.status == http.StatusNotFound || refused.status == http.StatusMethodNotAllowed) && !refused.explained
}

// request makes one request; receive takes what it is answered with.
func (u *httpUtterance) request(clause, endpoint string, receive func(context.Context, *http.Response, *time.Timer) error) error {
	c, m := u.stream.client, u.stream.manner
	body, err := json.Marshal(speakRequest{
		Text: clause, Model: c.opt.Model, Language: m.lang, Previous: lastBytes(u.said, maxPrevious), Settings: m.voiceSettings(),
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(m, endpoint, url.Values{}), bytes.NewReader(body))
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
	return receive(ctx, resp, patience)
}

// broken says why an answer could not be taken to its end.
func broken(ctx context.Context, resp *http.Response, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "speak", RequestID: requestID(resp.Header), Err: err}
}

var errNoAudio = errors.New("the answer has no audio")

// receive hands out an answer's audio. The answer's own end is its terminal
// message: HTTP says when a body was cut short.
func (u *httpUtterance) receive(ctx context.Context, resp *http.Response, patience *time.Timer) error {
	dec := json.NewDecoder(resp.Body)
	base, before := u.clock.ms(), u.clock.samples
	var m message
	var raw json.RawMessage
	for {
		patience.Reset(u.stream.client.opt.DialTimeout)
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return broken(ctx, resp, err)
		}
		patience.Stop()
		if err := parseMessage(raw, &m); err != nil {
			return broken(ctx, resp, err)
		}
		if len(m.detail) > 0 {
			code, text := explain(raw)
			return &providers.Error{Kind: classify(0, code, text), Vendor: vendor, Op: "speak", RequestID: requestID(resp.Header), Detail: shorten(code + ": " + text)}
		}
		if err := u.deliver(ctx, &m, base); err != nil {
			return broken(ctx, resp, err)
		}
	}
	if u.clock.samples == before {
		return broken(ctx, resp, errNoAudio)
	}
	return nil
}

// receiveBare hands out audio that comes as it is.
func (u *httpUtterance) receiveBare(ctx context.Context, resp *http.Response, patience *time.Timer) error {
	if kind := resp.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/json") {
		return broken(ctx, resp, errors.New("the answer is "+shorten(kind)+", not audio"))
	}
	before := u.clock.samples
	for over := false; !over; {
		patience.Reset(u.stream.client.opt.DialTimeout)
		pcm := make([]byte, 2*u.clock.rate*barePieceMS/1000)
		n, err := fill(resp.Body, pcm)
		if over = errors.Is(err, io.EOF); err != nil && !over {
			return broken(ctx, resp, err)
		}
		patience.Stop()
		if n -= n % 2; n == 0 {
			break
		}
		u.clock.samples += n / 2
		select {
		case u.chunks <- providers.Chunk{PCM: pcm[:n]}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if u.clock.samples == before {
		return broken(ctx, resp, errNoAudio)
	}
	return nil
}

// fill reads until b is full or r ends; unlike io.ReadFull it leaves the reader's
// error as it is, since a body that was cut ends with io.ErrUnexpectedEOF too.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = r.Read(b[n:])
		n += k
	}
	return n, err
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
