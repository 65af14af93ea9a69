package deepgram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"kalami/providers"
)

// Endpoint is one of Deepgram's two live interfaces.
type Endpoint uint8

// The endpoints.
const (
	// Nova is /v1/listen.
	Nova Endpoint = iota + 1
	// Flux is /v2/listen.
	Flux
)

// String returns the endpoint's name in lower case.
func (e Endpoint) String() string {
	switch e {
	case Nova:
		return "nova"
	case Flux:
		return "flux"
	}
	return "unknown"
}

// fluxLanguages are what flux-general-multi understands.
var fluxLanguages = [...]string{"en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"}

// Hears says whether an endpoint knows a BCP-47 language.
func (e Endpoint) Hears(language string) bool {
	return e == Nova || e == Flux && slices.Contains(fluxLanguages[:], base(language))
}

// Other is the one that can stand in for an endpoint.
func (e Endpoint) Other() Endpoint {
	if e == Flux {
		return Nova
	}
	return Flux
}

// BestEndpoint is the default choice for a BCP-47 language: Flux for its ten
// languages, else Nova.
func BestEndpoint(language string) Endpoint {
	if Flux.Hears(language) {
		return Flux
	}
	return Nova
}

// base returns a tag's primary subtag in lower case.
func base(tag string) string {
	b, _, _ := strings.Cut(tag, "-")
	return strings.ToLower(b)
}

// Options configure a [Client]. Zero values stand for the defaults named.
type Options struct {
	// Key is the account's API key. Empty sends none, for a local server that wants none.
	Key string
	// BaseURL is http://… or https://…, with a path when there is one before
	// /v1/listen; the socket's scheme follows. Default https://api.deepgram.com.
	BaseURL string
	// NovaModel defaults to nova-3.
	NovaModel string
	// FluxModel defaults to flux-general-en for English without hints, else flux-general-multi.
	FluxModel string
	// Endpoint chooses by language; default [BestEndpoint].
	Endpoint func(language string) Endpoint
	// DialTimeout bounds the opening of a stream; default 5 s.
	DialTimeout time.Duration
	// WriteTimeout is how long one message may wait for a vendor that does not read; default 5 s.
	WriteTimeout time.Duration
	// EndpointingMS is the pause in milliseconds at which Nova ends a segment;
	// default 300, or 100 with several languages (the vendor's advice).
	EndpointingMS int
	// UtteranceEndMS is the gap between words at which Nova ends a segment when
	// noise hides the pause; at least 1000, the default.
	UtteranceEndMS int
	// EagerThreshold, 0.3 to 0.9, is how sure Flux must be to say that a turn may
	// be over; default 0.4, negative never.
	EagerThreshold float64
	// EndThreshold, 0.5 to 0.9, is how sure Flux must be that a turn is over; default 0.7.
	EndThreshold float64
	// HTTPClient makes the handshakes; default an own one that keeps no
	// connections and follows no redirects. It must have no Timeout.
	HTTPClient *http.Client
	// Log receives one debug line per stream opened; nil discards.
	Log *slog.Logger
}

// Client opens live recognition streams. It holds no connections itself.
type Client struct {
	opt Options
}

var _ providers.Recognizer = (*Client)(nil)

// New checks opt and returns a client; it connects to nothing.
func New(opt Options) (*Client, error) {
	opt.defaults()
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("deepgram: %w", err)
	}
	for _, c := range []struct {
		ok   bool
		what string
	}{
		{opt.DialTimeout > 0, "dial timeout: must be positive"},
		{opt.WriteTimeout > 0, "write timeout: must be positive"},
		{opt.EndpointingMS >= 0, "endpointing: must not be negative"},
		{opt.UtteranceEndMS >= 1000, "utterance end: must be 1000 ms or more"},
		{opt.EndThreshold >= 0.5 && opt.EndThreshold <= 0.9, "end threshold: must be 0.5 to 0.9"},
		{opt.EagerThreshold < 0 || opt.EagerThreshold >= 0.3 && opt.EagerThreshold <= opt.EndThreshold,
			"eager threshold: must be 0.3 up to the end threshold, or negative"},
	} {
		if !c.ok {
			return nil, errors.New("deepgram: " + c.what)
		}
	}
	return &Client{opt: opt}, nil
}

func (o *Options) defaults() {
	if o.BaseURL == "" {
		o.BaseURL = "https://api.deepgram.com"
	}
	if o.NovaModel == "" {
		o.NovaModel = "nova-3"
	}
	if o.Endpoint == nil {
		o.Endpoint = BestEndpoint
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 5 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 5 * time.Second
	}
	if o.UtteranceEndMS == 0 {
		o.UtteranceEndMS = 1000
	}
	if o.EndThreshold == 0 {
		o.EndThreshold = 0.7
	}
	if o.EagerThreshold == 0 {
		o.EagerThreshold = 0.4
	}
	if o.HTTPClient == nil {
		o.HTTPClient = handshakeClient()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Name implements [providers.Recognizer].
func (c *Client) Name() string { return vendor }

// Listen implements [providers.Recognizer].
func (c *Client) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	if err := check(opt); err != nil {
		return nil, err
	}
	switch e := c.opt.Endpoint(opt.Language); e {
	case Nova:
		return c.dial(ctx, "/v1/listen", c.novaQuery(opt), opt, &novaTurns{})
	case Flux:
		return c.dial(ctx, "/v2/listen", c.fluxQuery(opt), opt, &fluxTurns{})
	default:
		return nil, invalid(fmt.Sprintf("no endpoint chosen for language %q", opt.Language))
	}
}

// check refuses options that the vendor would refuse, or misunderstand.
func check(opt providers.ListenOptions) error {
	switch {
	case opt.Language == "":
		return invalid("language is missing")
	case opt.SampleRate < 8000 || opt.SampleRate > 48000:
		return invalid(fmt.Sprintf("sample rate %d is not within 8000 and 48000 Hz", opt.SampleRate))
	}
	return nil
}

func invalid(detail string) error {
	return &providers.Error{Kind: providers.Invalid, Vendor: vendor, Op: "listen", Detail: detail}
}

// encoding returns the audio's encoding as the vendor names it.
func encoding(opt providers.ListenOptions) string {
	if opt.Encoding == "" {
		return string(providers.PCM16)
	}
	return string(opt.Encoding)
}

// chunkBytes is how many bytes of audio make one message, 0 for packed formats,
// whose frames must stay whole.
func chunkBytes(opt providers.ListenOptions) int {
	perSample := 0
	switch encoding(opt) {
	case string(providers.PCM16):
		perSample = 2
	case "mulaw", "alaw":
		perSample = 1
	}
	return int(int64(opt.SampleRate)*int64(joined)/int64(time.Second)) * perSample
}
