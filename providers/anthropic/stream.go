package anthropic

import (
	"context"
	"time"

	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"

	"kalami/providers"
)

// event is what a reply needs of any streamed event. Unknown types and fields are ignored.
type event struct {
	Type    string `json:"type"`
	Message struct {
		Model string `json:"model"`
		Usage usage  `json:"usage"`
	} `json:"message"` // message_start
	Delta struct {
		Type       string `json:"type"`        // content_block_delta
		Text       string `json:"text"`        // of a text_delta
		StopReason string `json:"stop_reason"` // message_delta
	} `json:"delta"`
	Usage usage `json:"usage"` // message_delta, cumulative
}

// usage counts tokens; the input is given in three disjoint parts.
type usage struct {
	Input         int `json:"input_tokens"`
	CacheCreation int `json:"cache_creation_input_tokens"`
	CacheRead     int `json:"cache_read_input_tokens"`
	Output        int `json:"output_tokens"`
}

// sum is the usage as callers count it.
func (u usage) sum() providers.Usage {
	return providers.Usage{
		InputTokens:       u.Input + u.CacheCreation + u.CacheRead,
		CachedInputTokens: u.CacheRead,
		OutputTokens:      u.Output,
	}
}

// cutOff says whether an answer stopped for this reason before it was complete.
func cutOff(stop string) bool {
	return stop == "max_tokens" || stop == "model_context_window_exceeded"
}

// drainTime bounds the wait for the end of the body after the terminal event. The
// end normally came in the same packet, and reading it keeps the connection.
const drainTime = 20 * time.Millisecond

// reply is the state of one streamed answer.
type reply struct {
	call
	t     *Tutor
	dog   *providers.Watchdog
	yield func(providers.Delta, error) bool

	model  string
	usage  usage
	stop   string
	spoken bool
}

// read hands the words on. done tells that the terminal event came; more is false
// when the consumer has left.
func (r *reply) read(stream *ssestream.Stream[event]) (done, more bool) {
	for stream.Next() {
		ev := stream.Current()
		switch ev.Type {
		case "message_start":
			r.model = ev.Message.Model
			r.usage = ev.Message.Usage
		case "content_block_delta":
			if ev.Delta.Type != "text_delta" || ev.Delta.Text == "" {
				continue
			}
			r.dog.Pause()
			r.spoken = true
			if !r.yield(providers.Delta{Text: ev.Delta.Text}, nil) {
				return false, false
			}
			r.dog.Resume(r.t.opt.StallTimeout, "no further word")
		case "message_delta":
			r.stop = ev.Delta.StopReason
			r.count(ev.Usage)
		case "message_stop":
			r.dog.Resume(drainTime, "no end of the answer")
			stream.Next()
			return true, true
		}
	}
	return false, true
}

// count takes over a cumulative usage; older servers repeat the output alone.
func (r *reply) count(u usage) {
	r.usage.Output = max(r.usage.Output, u.Output)
	r.usage.Input = max(r.usage.Input, u.Input)
	r.usage.CacheCreation = max(r.usage.CacheCreation, u.CacheCreation)
	r.usage.CacheRead = max(r.usage.CacheRead, u.CacheRead)
}

// finish makes the last delta of an answer that is over, or the error that it amounts to.
func (r *reply) finish() (providers.Delta, error) {
	switch {
	case r.stop == "refusal":
		return providers.Delta{}, r.error(providers.Invalid, "refusal", nil)
	case !r.spoken:
		return providers.Delta{}, r.error(providers.Unavailable, "empty_reply", nil)
	}
	return providers.Delta{
		Done:      true,
		Truncated: cutOff(r.stop),
		Usage:     r.usage.sum(),
		Model:     r.model,
		RequestID: r.requestID(),
	}, nil
}

// fail says what became of a call that did not finish. err is nil when the stream
// ended cleanly but too early.
func (r *reply) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if late := r.dog.Expired(); late != nil {
		return r.error(providers.Unavailable, "", late)
	}
	return r.classify(err)
}
