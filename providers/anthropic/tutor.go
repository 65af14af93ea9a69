// Package anthropic lets Claude be the tutor and answer questions in JSON, through
// Anthropic's official Go package and its Messages API.
//
// What this package adds to the official one:
//
//   - Nothing is retried inside: a second attempt would come seconds later, when
//     the learner has long noticed. Whoever holds two tutors asks the other one.
//   - A stream counts as complete only with its terminal event (message_stop); the
//     official client reports success for a stream that simply ends.
//   - The first word and every further one have a deadline of their own.
//   - Failures are [providers.Error]s with Claude's request id. An error event
//     inside a 200 answer is judged by its type, as its status says nothing.
//   - Events are decoded into the few fields that a reply needs, not into the
//     package's full union type, which costs several times the CPU per word.
//
// The standing instruction is sent as a cacheable block. Lines are merged and
// padded as [providers.Prompt.Messages] says; the reminder is the last part of
// the learner's last message, so that the cached beginning never changes.
package anthropic

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"

	"kalami/providers"
)

// Vendor is the name that this package's errors and [Tutor.Name] carry.
const Vendor = "anthropic"

// Defaults of [Options].
const (
	DefaultBaseURL           = "https://api.anthropic.com"
	DefaultModel             = string(sdk.ModelClaudeHaiku5_5)
	DefaultMaxTokens         = 300
	DefaultFirstTokenTimeout = 5 * time.Second
	DefaultStallTimeout      = 10 * time.Second
)

// Options configure a [Tutor]. All but Key have defaults.
type Options struct {
	// Key is the API key.
	Key string
	// BaseURL is where /v1/messages stands; empty means [DefaultBaseURL].
	BaseURL string
	// Model's name; empty means [DefaultModel].
	Model string
	// MaxTokens bounds a reply whose prompt does not; 0 means [DefaultMaxTokens].
	MaxTokens int
	// FirstTokenTimeout bounds the wait for a reply's first word; 0 means [DefaultFirstTokenTimeout].
	FirstTokenTimeout time.Duration
	// StallTimeout bounds the wait for each further one; 0 means [DefaultStallTimeout].
	StallTimeout time.Duration
	// Transport carries the requests; nil means an own [providers.NewTransport].
	Transport http.RoundTripper
	// Log gets a debug line per complete reply, without its words; nil discards.
	Log *slog.Logger
}

// Tutor asks Claude. Safe for concurrent use.
type Tutor struct {
	opt    Options
	client sdk.Client
	http   *http.Client
}

var _ providers.Tutor = (*Tutor)(nil)

// New returns a tutor, or an error naming the option that cannot be used. It
// makes no request. Nothing is read from the environment.
func New(opt Options) (*Tutor, error) {
	if opt.Key == "" {
		return nil, fmt.Errorf("anthropic: key: must not be empty")
	}
	opt.BaseURL = cmp.Or(opt.BaseURL, DefaultBaseURL)
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	opt.Model = cmp.Or(opt.Model, DefaultModel)
	opt.MaxTokens = cmp.Or(opt.MaxTokens, DefaultMaxTokens)
	opt.FirstTokenTimeout = cmp.Or(opt.FirstTokenTimeout, DefaultFirstTokenTimeout)
	opt.StallTimeout = cmp.Or(opt.StallTimeout, DefaultStallTimeout)
	if opt.MaxTokens < 0 || opt.FirstTokenTimeout < 0 || opt.StallTimeout < 0 {
		return nil, fmt.Errorf("anthropic: max tokens and timeouts: must not be negative")
	}
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tutor{opt: opt, http: &http.Client{Transport: opt.Transport}}
	t.client = newClient(opt.Key, opt.BaseURL, t.http)
	return t, nil
}

// newClient returns the official client as this package uses it.
func newClient(key, baseURL string, h *http.Client) sdk.Client {
	return sdk.NewClient(
		option.WithoutEnvironmentDefaults(),
		option.WithAPIKey(key),
		option.WithBaseURL(baseURL),
		option.WithHTTPClient(h),
		option.WithMaxRetries(0),
		// Its spans can carry prompts; ours are made by who calls us.
		option.WithoutOpenTelemetry(),
	)
}

// Name implements providers.Tutor.
func (t *Tutor) Name() string { return Vendor }

// Close frees idle connections. Replies under way go on.
func (t *Tutor) Close() { t.http.CloseIdleConnections() }

// Reply implements providers.Tutor. An answer that Claude refuses to give, or one
// without a word, is an error: Invalid with detail "refusal" (what came before it
// must not be used), or Unavailable with detail "empty_reply".
func (t *Tutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		watched, dog := providers.Watch(ctx, t.opt.FirstTokenTimeout, "no first word")
		defer dog.Stop()
		start := time.Now()
		var raw *http.Response
		err := t.client.Post(watched, "v1/messages", t.params(p), &raw, option.WithJSONSet("stream", true))
		r := reply{call: call{"reply", raw}, t: t, dog: dog, yield: yield}
		if err != nil {
			yield(providers.Delta{}, r.fail(ctx, err))
			return
		}
		stream := ssestream.NewStream[event](ssestream.NewDecoder(raw), nil)
		defer stream.Close()
		done, more := r.read(stream)
		if !more {
			return
		}
		if !done {
			yield(providers.Delta{}, r.fail(ctx, stream.Err()))
			return
		}
		if d, err := r.finish(); err != nil {
			yield(providers.Delta{}, err)
		} else {
			t.opt.Log.DebugContext(ctx, "reply complete", "vendor", Vendor, "model", d.Model,
				"request", d.RequestID, "output_tokens", d.Usage.OutputTokens, "took", time.Since(start))
			yield(d, nil)
		}
	}
}
