package openai

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"

	"kalami/providers"
)

// Defaults of [TutorOptions].
const (
	DefaultModel             = string(shared.ChatModelGPT5_4Mini)
	DefaultMaxTokens         = 300
	DefaultFirstTokenTimeout = 5 * time.Second
	DefaultStallTimeout      = 10 * time.Second
)

// TutorOptions configure a [Tutor]. All but the endpoint's key have defaults.
type TutorOptions struct {
	Endpoint
	// Model's name; empty means [DefaultModel].
	Model string
	// ReasoningEffort for models that think before they answer ("none", "minimal",
	// "low", …); empty leaves it to the model. A tutor should not think for long.
	ReasoningEffort string
	// MaxTokens bounds a reply whose prompt does not; 0 means [DefaultMaxTokens].
	MaxTokens int
	// LegacyMaxTokens sends the bound as max_tokens, which older engines know, and
	// not as max_completion_tokens, which OpenAI's own models want.
	LegacyMaxTokens bool
	// FirstTokenTimeout bounds the wait for a reply's first word; 0 means [DefaultFirstTokenTimeout].
	FirstTokenTimeout time.Duration
	// StallTimeout bounds the wait for each further one; 0 means [DefaultStallTimeout].
	StallTimeout time.Duration
	// Log gets a debug line per complete reply, without its words; nil discards.
	Log *slog.Logger
}

// Tutor asks a GPT or another model behind the same API. Safe for concurrent use.
type Tutor struct {
	opt    TutorOptions
	client client
}

var _ providers.Tutor = (*Tutor)(nil)

// NewTutor returns a tutor, or an error naming the option that cannot be used. It
// makes no request.
func NewTutor(opt TutorOptions) (*Tutor, error) {
	c, err := opt.connect()
	if err != nil {
		return nil, err
	}
	opt.Model = cmp.Or(opt.Model, DefaultModel)
	opt.MaxTokens = cmp.Or(opt.MaxTokens, DefaultMaxTokens)
	opt.FirstTokenTimeout = cmp.Or(opt.FirstTokenTimeout, DefaultFirstTokenTimeout)
	opt.StallTimeout = cmp.Or(opt.StallTimeout, DefaultStallTimeout)
	if opt.MaxTokens < 0 || opt.FirstTokenTimeout < 0 || opt.StallTimeout < 0 {
		return nil, fmt.Errorf("openai: max tokens and timeouts: must not be negative")
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Tutor{opt: opt, client: c}, nil
}

// Name implements providers.Tutor.
func (t *Tutor) Name() string { return Vendor }

// Close frees idle connections. Replies under way go on.
func (t *Tutor) Close() { t.client.http.CloseIdleConnections() }

// Reply implements providers.Tutor. An answer that the model refuses to give, or
// one without a word, is an error: Invalid with detail "refusal" or
// "content_filter" (what came before it must not be used), or Unavailable with
// detail "empty_reply".
func (t *Tutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		call, dog := providers.Watch(ctx, t.opt.FirstTokenTimeout, "no first word")
		defer dog.Stop()
		start := time.Now()
		r := reply{t: t, dog: dog, yield: yield}
		if err := t.client.Post(call, "chat/completions", t.params(p), &r.raw, option.WithJSONSet("stream", true)); err != nil {
			yield(providers.Delta{}, r.fail(ctx, err))
			return
		}
		stream := ssestream.NewStream[chunk](ssestream.NewDecoder(r.raw), nil)
		defer stream.Close()
		if !r.read(stream) {
			return
		}
		// What follows the finish_reason is the usage alone; a reply is not lost with it.
		if r.finish == "" || ctx.Err() != nil {
			yield(providers.Delta{}, r.fail(ctx, stream.Err()))
			return
		}
		if d, err := r.last(); err != nil {
			yield(providers.Delta{}, err)
		} else {
			t.opt.Log.DebugContext(ctx, "reply complete", "vendor", Vendor, "model", d.Model,
				"request", d.RequestID, "output_tokens", d.Usage.OutputTokens, "took", time.Since(start))
			yield(d, nil)
		}
	}
}

// params lays a prompt out as a chat. The reminder closes the learner's last
// message, as some engines take a system message at the beginning only.
func (t *Tutor) params(p providers.Prompt) sdk.ChatCompletionNewParams {
	lines := p.Messages()
	if reminder := p.ReminderBlock(); reminder != "" {
		lines[len(lines)-1].Text += "\n\n" + reminder
	}
	var messages []sdk.ChatCompletionMessageParamUnion
	if p.System != "" {
		messages = append(messages, sdk.SystemMessage(p.System))
	}
	for _, l := range lines {
		if l.Role == providers.RoleTutor {
			messages = append(messages, sdk.AssistantMessage(l.Text))
		} else {
			messages = append(messages, sdk.UserMessage(l.Text))
		}
	}
	params := sdk.ChatCompletionNewParams{
		Model:           t.opt.Model,
		Messages:        messages,
		ReasoningEffort: shared.ReasoningEffort(t.opt.ReasoningEffort),
		StreamOptions:   sdk.ChatCompletionStreamOptionsParam{IncludeUsage: sdk.Bool(true)},
	}
	limit := sdk.Int(int64(cmp.Or(max(p.MaxTokens, 0), t.opt.MaxTokens)))
	if t.opt.LegacyMaxTokens {
		params.MaxTokens = limit
	} else {
		params.MaxCompletionTokens = limit
	}
	return params
}

// chunk is what a reply needs of a streamed event.
type chunk struct {
	Model   string `json:"model"`
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *chatUsage `json:"usage"`
}

// chatUsage counts a chat's tokens.
type chatUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// sum is the usage as callers count it.
func (u chatUsage) sum() providers.Usage {
	return providers.Usage{InputTokens: u.Prompt, OutputTokens: u.Completion, CachedInputTokens: u.Details.Cached}
}

// usageTimeout bounds the wait for the usage once a reply is complete. Not every
// engine sends one.
const usageTimeout = 500 * time.Millisecond

// reply is the state of one streamed answer.
type reply struct {
	t     *Tutor
	dog   *providers.Watchdog
	yield func(providers.Delta, error) bool
	raw   *http.Response // nil when no answer came

	model   string
	usage   providers.Usage
	finish  string
	spoken  bool
	refusal bool
}

// read hands the words on until the stream ends; false when the consumer has left.
func (r *reply) read(stream *ssestream.Stream[chunk]) bool {
	for stream.Next() {
		c := stream.Current()
		r.model = cmp.Or(c.Model, r.model)
		if u := c.Usage; u != nil {
			r.usage = u.sum()
		}
		if len(c.Choices) == 0 {
			continue
		}
		choice := &c.Choices[0]
		r.refusal = r.refusal || choice.Delta.Refusal != ""
		if text := choice.Delta.Content; text != "" && r.finish == "" {
			r.dog.Pause()
			r.spoken = true
			if !r.yield(providers.Delta{Text: text}, nil) {
				return false
			}
			r.dog.Resume(r.t.opt.StallTimeout, "no further word")
		}
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
			r.dog.Resume(usageTimeout, "no usage")
		}
	}
	return true
}

// last makes the last delta of an answer that is over, or the error that it amounts to.
func (r *reply) last() (providers.Delta, error) {
	switch {
	case r.refusal:
		return providers.Delta{}, failure("reply", r.raw, providers.Invalid, "refusal", nil)
	case r.finish == "content_filter":
		return providers.Delta{}, failure("reply", r.raw, providers.Invalid, "content_filter", nil)
	case !r.spoken:
		return providers.Delta{}, failure("reply", r.raw, providers.Unavailable, "empty_reply", nil)
	}
	return providers.Delta{
		Done:      true,
		Truncated: r.finish == "length",
		Usage:     r.usage,
		Model:     cmp.Or(r.model, r.t.opt.Model),
		RequestID: r.raw.Header.Get("X-Request-Id"),
	}, nil
}

// fail says what became of a call that did not finish. err is nil when the stream
// ended cleanly but too early.
func (r *reply) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if late := r.dog.Expired(); late != nil {
		return failure("reply", r.raw, providers.Unavailable, "", late)
	}
	if err == nil {
		return failure("reply", r.raw, providers.Unavailable, "", errTruncated)
	}
	return classify("reply", r.raw, err)
}
