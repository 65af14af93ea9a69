// Package elevenlabs speaks with ElevenLabs' voices as they are written: a
// [providers.Voice] on the vendor's multi-context WebSocket, with HTTP streaming
// where that cannot be opened.
//
// # The socket
//
// [Client.Open] dials multi-stream-input once per learner and keeps it warm: a
// handshake costs 150 to 300 ms, a new context on an open socket nothing. Each
// utterance is one context. What the vendor's protocol makes necessary:
//
//   - Voice settings stand in the first message of a context; later ones are refused.
//   - The final message of a context comes only after close_context. But a context
//     that is closed before the vendor has begun to speak may be dropped without a
//     word, so End flushes, and the context is closed when the alignment shows that
//     every written letter has been spoken, or after a quiet while.
//   - A socket has five contexts at most, and a sixth kills it. A closed context
//     counts until its final message has arrived, which under quick interruptions
//     takes longer than the next reply. Here four are used at most: Say waits for a
//     final; when none comes for a second the stream gives itself up, since a fresh
//     handshake is cheaper than waiting on, and opening is the caller's decision.
//   - An idle socket is closed by the vendor after three minutes (what we ask for,
//     and its maximum); an empty text each minute prevents it.
//   - Times of the alignment count from the audio of their own message. They become
//     times of the utterance by counting the samples delivered before.
//
// # Goroutines
//
// A stream has two: a reader and a writer. Text waits for the writer in a queue
// of 8, where Write blocks. Audio waits for Next in a queue of 48 messages per
// utterance (5 to 20 s of speech); when it is full the reader waits, which slows
// the vendor. That cannot hold up anybody else: at most one utterance is in use,
// Say cancels the one before, and the audio of cancelled ones is dropped, so the
// finals behind it still arrive.
//
// Nothing reconnects. A stream that broke says so in every call, Alive is false,
// and whoever opened it decides.
package elevenlabs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kalami/providers"
)

// vendor is the name in errors, logs and metrics.
const vendor = "elevenlabs"

// What is used where nothing else is configured.
const (
	defaultBaseURL = "https://api.elevenlabs.io"
	defaultModel   = "eleven_flash_v2_5"
	defaultVoice   = "EXAVITQu4vr4xnSDxMaL"
)

// Options configure a [Client]. Only Key is needed for the vendor's own service.
type Options struct {
	// Key is the API key (header xi-api-key).
	Key string
	// BaseURL is the service's address without a path; http and https are meant,
	// ws and wss are understood. Default https://api.elevenlabs.io.
	BaseURL string
	// Model is the vendor's name of the model. Default eleven_flash_v2_5, the
	// fastest. Models without a WebSocket (eleven_v3) are used over HTTP.
	Model string
	// Voice is the voice for languages that Voices does not name.
	Voice string
	// Voices maps a language (BCP-47 primary subtag) to a voice id.
	Voices map[string]string
	// HTTPOnly never opens a WebSocket.
	HTTPOnly bool
	// HTTPClient makes requests and handshakes; it must have no timeout of its own.
	// Default is a client with a transport of its own.
	HTTPClient *http.Client
	// DialTimeout bounds a handshake, and the wait for an HTTP answer to begin or
	// go on. Default 10 s.
	DialTimeout time.Duration
	// WriteTimeout is how long the vendor may refuse to take a message before the
	// socket counts as dead. Default 5 s.
	WriteTimeout time.Duration
	// SlotWait is how long Say waits for a context to be freed before the stream
	// gives itself up. Default 1 s.
	SlotWait time.Duration
	// FinalWait is how long, after End, the vendor may be silent before the context
	// is closed, and then before its final message is given up. Default 5 s.
	FinalWait time.Duration
	// Log receives connection events, never text. Default discards.
	Log *slog.Logger
}

// Client opens voice streams. Make one with [New].
type Client struct {
	opt  Options
	base *url.URL
}

var _ providers.Voice = (*Client)(nil)

// New checks the options and fills in defaults.
func New(opt Options) (*Client, error) {
	opt.BaseURL = cmp.Or(opt.BaseURL, defaultBaseURL)
	opt.Model = cmp.Or(opt.Model, defaultModel)
	opt.Voice = cmp.Or(opt.Voice, defaultVoice)
	opt.DialTimeout = cmp.Or(opt.DialTimeout, 10*time.Second)
	opt.WriteTimeout = cmp.Or(opt.WriteTimeout, 5*time.Second)
	opt.SlotWait = cmp.Or(opt.SlotWait, time.Second)
	opt.FinalWait = cmp.Or(opt.FinalWait, 5*time.Second)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.HTTPClient == nil {
		opt.HTTPClient = &http.Client{Transport: providers.NewTransport()}
	}
	u, err := parseBase(opt.BaseURL)
	if err == nil {
		err = checkVoices(opt.Voice, opt.Voices)
	}
	if err != nil {
		return nil, fmt.Errorf("elevenlabs: %w", err)
	}
	return &Client{opt: opt, base: u}, nil
}

// parseBase reads the service's address.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("base URL %q: the scheme must be http or https", base)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("base URL %q: no host", base)
	}
	u.RawQuery, u.Fragment = "", ""
	return u.JoinPath("/"), nil // paths joined to an empty one would not begin with a slash
}

// checkVoices refuses configured voices that would change a request's path.
func checkVoices(voice string, voices map[string]string) error {
	for lang, id := range voices {
		if !validVoice(id) {
			return fmt.Errorf("voice for %q: %q is not a voice id", lang, id)
		}
	}
	if !validVoice(voice) {
		return fmt.Errorf("voice: %q is not a voice id", voice)
	}
	return nil
}

// Name implements providers.Voice.
func (c *Client) Name() string { return vendor }

// Close frees idle connections of a transport that [New] made. Streams are closed
// by those who opened them.
func (c *Client) Close() { c.opt.HTTPClient.CloseIdleConnections() }

// manner is how one stream speaks, checked.
type manner struct {
	voice string
	// lang is the language code to send, empty for models that take none.
	lang  string
	rate  int
	speed float64
}

// Open implements providers.Voice. It dials the WebSocket; when that is answered
// but refused, for a reason that HTTP need not share (not a wrong key, a used-up
// quota or a rate limit), the stream speaks over HTTP instead, and opening it
// makes no request.
func (c *Client) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	m, err := c.manner(opt)
	if err != nil {
		return nil, err
	}
	if c.opt.HTTPOnly || strings.HasPrefix(c.opt.Model, "eleven_v3") {
		return c.openHTTP(m), nil
	}
	st, err := c.dial(ctx, m)
	if err == nil {
		return st, nil
	}
	if refused, ok := errors.AsType[*refusedError](err); ok && ctx.Err() == nil {
		switch providers.KindOf(err) {
		case providers.Unavailable, providers.Invalid:
			c.opt.Log.Warn("elevenlabs: no WebSocket, speaking over HTTP", "status", refused.status, "err", err)
			return c.openHTTP(m), nil
		}
	}
	return nil, err
}

// manner resolves and checks what a stream is asked for.
func (c *Client) manner(opt providers.SpeakOptions) (manner, error) {
	lang, _, _ := strings.Cut(strings.ToLower(opt.Language), "-")
	m := manner{voice: cmp.Or(opt.VoiceID, c.opt.Voices[lang], c.opt.Voice), rate: opt.SampleRate, speed: opt.Speed}
	if !validVoice(m.voice) {
		return m, invalid("open", "the voice id has characters that none has")
	}
	if !slices.Contains([]int{8000, 16000, 22050, 24000, 32000, 44100, 48000}, m.rate) {
		return m, invalid("open", fmt.Sprintf("no PCM at %d Hz", m.rate))
	}
	if takesLanguage(c.opt.Model) {
		m.lang = lang
	}
	if m.speed != 0 {
		m.speed = clampSpeed(m.speed)
	}
	return m, nil
}

// clampSpeed brings a speed into what the vendor allows.
func clampSpeed(speed float64) float64 { return min(max(speed, 0.7), 1.2) }

// takesLanguage says whether a model accepts language_code; others refuse it.
func takesLanguage(model string) bool {
	return strings.HasSuffix(model, "_v2_5") || strings.HasPrefix(model, "eleven_v3")
}

// validVoice says whether id can be a voice's id: letters, digits, _ and -.
func validVoice(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// address returns the URL of a synthesis endpoint.
func (c *Client) address(m manner, endpoint string, query url.Values) string {
	u := c.base.JoinPath("v1", "text-to-speech", url.PathEscape(m.voice), endpoint)
	query.Set("output_format", fmt.Sprintf("pcm_%d", m.rate))
	u.RawQuery = query.Encode()
	return u.String()
}
