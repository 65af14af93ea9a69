// Package openai speaks OpenAI's API, through the official Go package, to OpenAI
// itself and to the many engines that imitate it (Ollama, a Whisper or Kokoro
// server): a [Tutor] and an [Analyst] on chat completions, a [Transcriber] for recorded
// audio, a [Recognizer] that hears live speech through it, and a [Voice]. Each has its own [Endpoint], so that one may be local and another not.
//
// What this package adds to the official one:
//
//   - Nothing is retried inside, and nothing is read from the environment.
//   - A streamed reply counts as complete only with its finish_reason; the official
//     client reports success for a stream that simply ends.
//   - Waiting is bounded before the first word or sample and between further ones.
//   - Failures are [providers.Error]s with the vendor's request id and codes, never
//     with its sentences, which may quote the request.
//   - Streamed chunks are decoded into the few fields that a reply needs.
package openai

import (
	"cmp"
	"fmt"
	"net/http"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"kalami/providers"
)

// Vendor is the name that this package's errors and Name methods carry.
const Vendor = "openai"

// DefaultBaseURL is OpenAI's own.
const DefaultBaseURL = "https://api.openai.com/v1"

// Endpoint is a server that speaks OpenAI's API.
type Endpoint struct {
	// Key is the API key; it may be empty for a server that wants none.
	Key string
	// BaseURL includes the version: "http://localhost:11434/v1". Empty means [DefaultBaseURL].
	BaseURL string
	// Transport carries the requests; nil means an own [providers.NewTransport].
	Transport http.RoundTripper
}

// client is the official client and its connections.
type client struct {
	sdk.Client
	http *http.Client
}

// connect readies a client; it makes no request.
func (e Endpoint) connect() (client, error) {
	base := cmp.Or(e.BaseURL, DefaultBaseURL)
	if err := providers.CheckBaseURL(base); err != nil {
		return client{}, fmt.Errorf("openai: %w", err)
	}
	if e.Key == "" && e.BaseURL == "" {
		return client{}, fmt.Errorf("openai: key: must not be empty for %s", DefaultBaseURL)
	}
	if e.Transport == nil {
		e.Transport = providers.NewTransport()
	}
	c := client{http: &http.Client{Transport: e.Transport}}
	opts := []option.RequestOption{
		option.WithBaseURL(base),
		option.WithHTTPClient(c.http),
		option.WithMaxRetries(0),
	}
	if e.Key != "" {
		opts = append(opts, option.WithHeader("Authorization", "Bearer "+e.Key))
	}
	// The package's constructor would read keys, organisations and headers from the
	// environment; ours come from the configuration alone.
	c.Client = sdk.Client{Options: opts}
	return c, nil
}
