package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"kalami/providers"
)

// Defaults of [AnalystOptions].
const (
	DefaultAnswerTokens  = 1500
	DefaultAnswerTimeout = 20 * time.Second
)

// AnalystOptions configure an [Analyst]. All but the endpoint's key have defaults.
type AnalystOptions struct {
	Endpoint
	// Model's name; empty means [DefaultModel].
	Model string
	// ReasoningEffort is as in [TutorOptions].
	ReasoningEffort string
	// MaxTokens bounds an answer whose question does not; 0 means [DefaultAnswerTokens].
	MaxTokens int
	// LegacyMaxTokens is as in [TutorOptions].
	LegacyMaxTokens bool
	// Timeout of one answer; 0 means [DefaultAnswerTimeout].
	Timeout time.Duration
	// Log gets a debug line per answer, without its words; nil discards.
	Log *slog.Logger
}

// Analyst asks a GPT or another model behind the same API questions whose answers are
// JSON, by response_format json_schema. OpenAI's own models are held to the schema;
// imitators may ignore it, and an answer that is no JSON is then an error. Safe for
// concurrent use.
type Analyst struct {
	opt    AnalystOptions
	client client
}

var _ providers.Analyst = (*Analyst)(nil)

// NewAnalyst returns an analyst, or an error naming the option that cannot be used. It
// makes no request.
func NewAnalyst(opt AnalystOptions) (*Analyst, error) {
	c, err := opt.connect()
	if err != nil {
		return nil, err
	}
	opt.Model = cmp.Or(opt.Model, DefaultModel)
	opt.MaxTokens = cmp.Or(opt.MaxTokens, DefaultAnswerTokens)
	opt.Timeout = cmp.Or(opt.Timeout, DefaultAnswerTimeout)
	if opt.MaxTokens < 0 || opt.Timeout < 0 {
		return nil, fmt.Errorf("openai: max tokens and timeout: must not be negative")
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Analyst{opt: opt, client: c}, nil
}

// Name implements providers.Analyst.
func (a *Analyst) Name() string { return Vendor }

// Close frees idle connections. Answers under way go on.
func (a *Analyst) Close() { a.client.http.CloseIdleConnections() }

// completion is what is read of a whole answer.
type completion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage chatUsage `json:"usage"`
}

// Ask implements providers.Analyst. A question that the model refuses to answer is
// Invalid with detail "refusal" or "content_filter".
func (a *Analyst) Ask(ctx context.Context, q providers.Question) (providers.Answer, error) {
	const op = "analyse"
	if ctx.Err() != nil {
		return providers.Answer{}, context.Cause(ctx)
	}
	watched, dog := providers.Watch(ctx, a.opt.Timeout, "no answer")
	defer dog.Stop()
	start := time.Now()
	var raw *http.Response
	var got completion
	err := a.client.Post(watched, "chat/completions", a.params(q), &got, option.WithResponseInto(&raw))
	if err != nil {
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return providers.Answer{}, context.Cause(ctx)
		case late != nil:
			return providers.Answer{}, failure(op, raw, providers.Unavailable, "", late)
		}
		return providers.Answer{}, classify(op, raw, err)
	}
	out, err := a.answer(got, raw)
	if err != nil {
		return providers.Answer{}, err
	}
	a.opt.Log.DebugContext(ctx, "question answered", "vendor", Vendor, "model", out.Model,
		"request", out.RequestID, "output_tokens", out.Usage.OutputTokens, "took", time.Since(start))
	return out, nil
}

// answer makes the answer of a completion, or the error that it amounts to.
func (a *Analyst) answer(got completion, raw *http.Response) (providers.Answer, error) {
	failed := func(kind providers.Kind, detail string) (providers.Answer, error) {
		return providers.Answer{}, failure("analyse", raw, kind, detail, nil)
	}
	if len(got.Choices) == 0 {
		return failed(providers.Unavailable, "empty_answer")
	}
	choice := got.Choices[0]
	switch {
	case choice.Message.Refusal != "":
		return failed(providers.Invalid, "refusal")
	case choice.FinishReason == "content_filter":
		return failed(providers.Invalid, "content_filter")
	case choice.FinishReason == "length":
		return failed(providers.Unavailable, "cut_off")
	case !json.Valid([]byte(choice.Message.Content)):
		return failed(providers.Unavailable, "not_json")
	}
	return providers.Answer{
		JSON: []byte(choice.Message.Content), Usage: got.Usage.sum(),
		Model: cmp.Or(got.Model, a.opt.Model), RequestID: raw.Header.Get("X-Request-Id"),
	}, nil
}

// params lays a question out as a chat.
func (a *Analyst) params(q providers.Question) sdk.ChatCompletionNewParams {
	var messages []sdk.ChatCompletionMessageParamUnion
	if q.System != "" {
		messages = append(messages, sdk.SystemMessage(q.System))
	}
	p := sdk.ChatCompletionNewParams{
		Model:           a.opt.Model,
		Messages:        append(messages, sdk.UserMessage(q.Prompt)),
		ReasoningEffort: shared.ReasoningEffort(a.opt.ReasoningEffort),
		ResponseFormat: sdk.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: q.Name, Strict: sdk.Bool(true), Schema: q.Schema},
		}},
	}
	limit := sdk.Int(int64(cmp.Or(max(q.MaxTokens, 0), a.opt.MaxTokens)))
	if a.opt.LegacyMaxTokens {
		p.MaxTokens = limit
	} else {
		p.MaxCompletionTokens = limit
	}
	return p
}
