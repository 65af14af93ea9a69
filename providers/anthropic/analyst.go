package anthropic

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"kalami/providers"
)

// Defaults of [AnalystOptions].
const (
	DefaultAnswerTokens  = 1500
	DefaultAnswerTimeout = 20 * time.Second
)

// AnalystOptions configure an [Analyst]. All but Key have defaults.
type AnalystOptions struct {
	// Key is the API key.
	Key string
	// BaseURL is where /v1/messages stands; empty means [DefaultBaseURL].
	BaseURL string
	// Model's name; empty means [DefaultModel].
	Model string
	// MaxTokens bounds an answer whose question does not; 0 means [DefaultAnswerTokens].
	MaxTokens int
	// Timeout of one answer; 0 means [DefaultAnswerTimeout].
	Timeout time.Duration
	// Transport carries the requests; nil means an own [providers.NewTransport].
	Transport http.RoundTripper
	// Log gets a debug line per answer, without its words; nil discards.
	Log *slog.Logger
}

// Analyst asks Claude questions whose answers are JSON, by its structured outputs:
// the vendor holds the model to the schema. Safe for concurrent use.
type Analyst struct {
	opt    AnalystOptions
	client sdk.Client
	http   *http.Client
}

var _ providers.Analyst = (*Analyst)(nil)

// NewAnalyst returns an analyst, or an error naming the option that cannot be used.
// It makes no request. Nothing is read from the environment.
func NewAnalyst(opt AnalystOptions) (*Analyst, error) {
	if opt.Key == "" {
		return nil, fmt.Errorf("anthropic: key: must not be empty")
	}
	opt.BaseURL = cmp.Or(opt.BaseURL, DefaultBaseURL)
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	opt.Model = cmp.Or(opt.Model, DefaultModel)
	opt.MaxTokens = cmp.Or(opt.MaxTokens, DefaultAnswerTokens)
	opt.Timeout = cmp.Or(opt.Timeout, DefaultAnswerTimeout)
	if opt.MaxTokens < 0 || opt.Timeout < 0 {
		return nil, fmt.Errorf("anthropic: max tokens and timeout: must not be negative")
	}
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	a := &Analyst{opt: opt, http: &http.Client{Transport: opt.Transport}}
	a.client = newClient(opt.Key, opt.BaseURL, a.http)
	return a, nil
}

// Name implements providers.Analyst.
func (a *Analyst) Name() string { return Vendor }

// Close frees idle connections. Answers under way go on.
func (a *Analyst) Close() { a.http.CloseIdleConnections() }

// answer is what is read of a whole message.
type answer struct {
	Model   string `json:"model"`
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	StopReason string `json:"stop_reason"`
	Usage      usage  `json:"usage"`
}

// Ask implements providers.Analyst. A question that Claude refuses to answer is Invalid
// with detail "refusal".
func (a *Analyst) Ask(ctx context.Context, q providers.Question) (providers.Answer, error) {
	if ctx.Err() != nil {
		return providers.Answer{}, context.Cause(ctx)
	}
	c := call{op: "analyse"}
	params, err := a.params(q)
	if err != nil {
		return providers.Answer{}, c.error(providers.Invalid, "the schema is not an object", nil)
	}
	watched, dog := providers.Watch(ctx, a.opt.Timeout, "no answer")
	defer dog.Stop()
	start := time.Now()
	var got answer
	if err := a.client.Post(watched, "v1/messages", params, &got, option.WithResponseInto(&c.raw)); err != nil {
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return providers.Answer{}, context.Cause(ctx)
		case late != nil:
			return providers.Answer{}, c.error(providers.Unavailable, "", late)
		}
		return providers.Answer{}, c.classify(err)
	}
	out, err := c.answer(got)
	if err != nil {
		return providers.Answer{}, err
	}
	a.opt.Log.DebugContext(ctx, "question answered", "vendor", Vendor, "model", out.Model,
		"request", out.RequestID, "output_tokens", out.Usage.OutputTokens, "took", time.Since(start))
	return out, nil
}

// answer makes the answer of a message, or the error that it amounts to.
func (c *call) answer(got answer) (providers.Answer, error) {
	var text string
	for _, block := range got.Content {
		if block.Type == "text" {
			text += block.Text
		}
	}
	switch {
	case got.StopReason == "refusal":
		return providers.Answer{}, c.error(providers.Invalid, "refusal", nil)
	case cutOff(got.StopReason):
		return providers.Answer{}, c.error(providers.Unavailable, "cut_off", nil)
	case !json.Valid([]byte(text)):
		return providers.Answer{}, c.error(providers.Unavailable, "not_json", nil)
	}
	return providers.Answer{JSON: []byte(text), Usage: got.Usage.sum(), Model: got.Model, RequestID: c.requestID()}, nil
}

// params lays a question out as Claude wants it. The standing instruction is not marked
// for caching: it is shorter than what Claude caches.
func (a *Analyst) params(q providers.Question) (sdk.MessageNewParams, error) {
	var schema map[string]any
	if err := json.Unmarshal(q.Schema, &schema); err != nil {
		return sdk.MessageNewParams{}, err
	}
	p := sdk.MessageNewParams{
		Model:        sdk.Model(a.opt.Model),
		MaxTokens:    int64(cmp.Or(max(q.MaxTokens, 0), a.opt.MaxTokens)),
		Messages:     []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock(q.Prompt))},
		OutputConfig: sdk.OutputConfigParam{Format: sdk.JSONOutputFormatParam{Schema: schema}},
	}
	if q.System != "" {
		p.System = []sdk.TextBlockParam{{Text: q.System}}
	}
	return p, nil
}
