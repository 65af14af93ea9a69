package elevenlabs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	haguro "github.com/haguro/elevenlabs-go"

	"kalami/providers"
)

const (
	// catalogueTime is how long a list of voices is good for.
	catalogueTime = 5 * time.Minute
	// catalogueTimeout bounds asking for one.
	catalogueTimeout = 10 * time.Second
	// maxCatalogue bounds a list, in bytes.
	maxCatalogue = 8 << 20
)

// catalogue keeps the list of voices for a while.
type catalogue struct {
	turn chan struct{} // held by who asks the vendor: the others wait for the answer

	mu     sync.Mutex
	voices []providers.VoiceInfo
	until  time.Time
}

// recent returns the list while it is good.
func (c *catalogue) recent() ([]providers.VoiceInfo, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.voices), time.Now().Before(c.until)
}

func (c *catalogue) keep(voices []providers.VoiceInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.voices, c.until = voices, time.Now().Add(catalogueTime)
}

// Voices implements providers.Synthesizer: the account's voices, asked for through
// github.com/haguro/elevenlabs-go and good for five minutes. [http.DefaultTransport]
// must be a [Carrier].
func (s *Synthesizer) Voices(ctx context.Context) ([]providers.VoiceInfo, error) {
	c := &s.catalogue
	if voices, ok := c.recent(); ok {
		return voices, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if voices, ok := c.recent(); ok { // somebody else has asked meanwhile
		return voices, nil
	}
	voices, err := s.askForVoices(ctx)
	if err != nil {
		return nil, err
	}
	c.keep(voices)
	return slices.Clone(voices), nil
}

// errNotCarried is why no list can be had: see [Carrier].
var errNotCarried = errors.New("http.DefaultTransport is not a Carrier")

// askForVoices makes the request. That package's client lives for one call, since its
// context is fixed when it is made.
func (s *Synthesizer) askForVoices(ctx context.Context) ([]providers.VoiceInfo, error) {
	const op = "voices"
	if _, ok := http.DefaultTransport.(*Carrier); !ok {
		// It would take the key to the vendor's own address, wherever it belongs.
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, Err: errNotCarried}
	}
	carried := context.WithValue(ctx, callKey{}, &call{base: s.base, to: s.opt.Transport})
	list, err := haguro.NewClient(carried, s.opt.Key, catalogueTimeout).GetVoices()
	if err != nil {
		if refused, ok := errors.AsType[*providers.Error](err); ok {
			return nil, refused
		}
		return nil, requestError(ctx, op, err)
	}
	all := make([]providers.VoiceInfo, 0, len(list))
	for _, v := range list {
		all = append(all, voiceInfo(v))
	}
	return all, nil
}

// voiceInfo takes what is known of a voice out of the vendor's labels.
func voiceInfo(v haguro.Voice) providers.VoiceInfo {
	out := providers.VoiceInfo{ID: v.VoiceId, Name: v.Name, Labels: v.Labels, Vendor: vendor}
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	lang, _, _ := strings.Cut(strings.ToLower(v.Labels["language"]), "-")
	if len(lang) == 2 || len(lang) == 3 {
		out.Language = lang
	}
	switch gender := strings.ToLower(v.Labels["gender"]); gender {
	case "male", "female", "neutral":
		out.Gender = gender
	case "non-binary":
		out.Gender = "neutral"
	}
	return out
}

// Carrier is a transport to be set as [http.DefaultTransport], once, by the program's
// main function. The package that lists the voices has the vendor's address built in
// and uses that transport; a Carrier takes its requests to where they belong, which
// travels in their context. All other requests it hands on as they are.
//
// On the way back it makes up for what that package lacks: a refusal becomes a
// [*providers.Error] with the request's id, an answer is bounded, and of each voice
// those fields are left out which nobody here needs and whose types the package has
// wrong or the vendor changes (one voice's sharing.disable_at_unix costs it the whole list).
type Carrier struct {
	next http.RoundTripper
}

// NewCarrier returns a Carrier before next.
func NewCarrier(next http.RoundTripper) *Carrier { return &Carrier{next: next} }

// callKey is the key of a [*call] in a context.
type callKey struct{}

// call says where a request belongs.
type call struct {
	base *url.URL
	to   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c *Carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	if call, ok := req.Context().Value(callKey{}).(*call); ok {
		return call.roundTrip(req)
	}
	return c.next.RoundTrip(req)
}

// CloseIdleConnections closes those of the transport behind it, for
// [http.Client.CloseIdleConnections].
func (c *Carrier) CloseIdleConnections() {
	if t, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (c *call) roundTrip(req *http.Request) (*http.Response, error) {
	const op = "voices"
	req = req.Clone(req.Context())
	u := c.base.JoinPath(req.URL.Path)
	u.RawQuery = req.URL.RawQuery
	req.URL, req.Host = u, ""
	resp, err := c.to.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxCatalogue))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(op, resp, body)
	}
	if body, err = legible(body); err != nil {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, RequestID: requestID(resp.Header), Err: err}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// errNoVoices is the cause when a list of voices is none.
var errNoVoices = errors.New("the answer is not a list of voices")

// legible reduces a list of voices to the fields that are read.
func legible(body []byte) ([]byte, error) {
	var list struct {
		Voices []struct {
			ID       string         `json:"voice_id"`
			Name     string         `json:"name"`
			Category string         `json:"category"`
			Labels   map[string]any `json:"labels"`
		} `json:"voices"`
	}
	if json.Unmarshal(body, &list) != nil || list.Voices == nil {
		return nil, errNoVoices
	}
	for _, v := range list.Voices {
		for name, label := range v.Labels {
			if _, ok := label.(string); !ok {
				delete(v.Labels, name)
			}
		}
	}
	return json.Marshal(list)
}
