package openai

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"kalami/providers"
)

// Defaults of [Transcriber].
const (
	DefaultTranscribeModel   = "whisper-1"
	DefaultTranscribeTimeout = 60 * time.Second
)

// TranscriberOptions configure a [Transcriber]. All but the endpoint's key have defaults.
type TranscriberOptions struct {
	Endpoint
	// Model's name; empty means [DefaultTranscribeModel]. Models whose name begins
	// with "gpt-" tell neither language nor duration exactly.
	Model string
	// Timeout of one recording; 0 means [DefaultTranscribeTimeout].
	Timeout time.Duration
}

// Transcriber turns recordings into text through POST /audio/transcriptions. Safe for
// concurrent use.
type Transcriber struct {
	opt    TranscriberOptions
	client client
}

var _ providers.Transcriber = (*Transcriber)(nil)

// NewTranscriber returns a transcriber, or an error naming the option that cannot
// be used. It makes no request.
func NewTranscriber(opt TranscriberOptions) (*Transcriber, error) {
	c, err := opt.connect()
	if err != nil {
		return nil, err
	}
	opt.Model = cmp.Or(opt.Model, DefaultTranscribeModel)
	if opt.Timeout = cmp.Or(opt.Timeout, DefaultTranscribeTimeout); opt.Timeout < 0 {
		return nil, fmt.Errorf("openai: timeout: must not be negative")
	}
	return &Transcriber{opt: opt, client: c}, nil
}

// Name implements providers.Transcriber.
func (t *Transcriber) Name() string { return Vendor }

// Close frees idle connections.
func (t *Transcriber) Close() { t.client.http.CloseIdleConnections() }

// transcription is the union of the answers' JSON forms.
type transcription struct {
	Text     string  `json:"text"`
	Language string  `json:"language"`
	Duration float64 `json:"duration"`
	Words    []struct {
		Word  string  `json:"word"`
		Start float64 `json:"start"`
		End   float64 `json:"end"`
	} `json:"words"`
	Segments []struct {
		Start      float64 `json:"start"`
		End        float64 `json:"end"`
		AvgLogprob float64 `json:"avg_logprob"`
	} `json:"segments"`
	Usage struct {
		Seconds float64 `json:"seconds"`
	} `json:"usage"`
}

// confidence is the geometric mean of the probabilities of all tokens, for which the
// verbose form has the logarithms segment by segment; 0 without segments. A segment
// counts by its length, since the number of its tokens is not told.
func (a transcription) confidence() float64 {
	var sum, length float64
	for _, s := range a.Segments {
		if d := s.End - s.Start; d > 0 && s.AvgLogprob <= 0 {
			sum, length = sum+d*s.AvgLogprob, length+d
		}
	}
	if length == 0 {
		return 0
	}
	return math.Exp(sum / length)
}

// Transcribe implements providers.Transcriber.
func (t *Transcriber) Transcribe(ctx context.Context, rec providers.Recording) (providers.Transcript, error) {
	const op = "transcribe"
	switch {
	case len(rec.Audio) == 0:
		return providers.Transcript{}, failure(op, nil, providers.Invalid, "the recording is empty", nil)
	case len(rec.Audio) > providers.MaxRecording:
		return providers.Transcript{}, failure(op, nil, providers.Invalid, "the recording is larger than 25 MiB", nil)
	}
	call, dog := providers.Watch(ctx, t.opt.Timeout, "no transcript")
	defer dog.Stop()
	var raw *http.Response
	var answer transcription
	err := t.client.Post(call, "audio/transcriptions", t.params(rec), &answer, option.WithResponseInto(&raw))
	if err != nil {
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return providers.Transcript{}, context.Cause(ctx)
		case late != nil:
			return providers.Transcript{}, failure(op, raw, providers.Unavailable, "", late)
		}
		return providers.Transcript{}, classify(op, raw, err)
	}
	return t.transcript(rec, answer, raw), nil
}

// params lays the request out. The verbose form alone tells language, duration and
// confidence, the last by its segments, and on demand where each word is, of which the
// learner's speaking time is made; the gpt models do not have it. The vendor goes by the
// file's extension.
func (t *Transcriber) params(rec providers.Recording) sdk.AudioTranscriptionNewParams {
	name := "audio." + string(cmp.Or(rec.Format, providers.WAV))
	params := sdk.AudioTranscriptionNewParams{
		File:  sdk.File(bytes.NewReader(rec.Audio), name, "application/octet-stream"),
		Model: t.opt.Model,
	}
	if isGPT(t.opt.Model) {
		params.ResponseFormat = sdk.AudioResponseFormatJSON
	} else {
		params.ResponseFormat = sdk.AudioResponseFormatVerboseJSON
		params.TimestampGranularities = []string{"word", "segment"}
	}
	if lang := primarySubtag(rec.Language); lang != "" {
		params.Language = sdk.String(lang)
	}
	return params
}

// isGPT says whether a model is one of those that tell nothing but the text.
func isGPT(model string) bool { return strings.HasPrefix(model, "gpt-") }

// transcript makes the result from an answer.
func (t *Transcriber) transcript(rec providers.Recording, a transcription, raw *http.Response) providers.Transcript {
	out := providers.Transcript{
		Text:       strings.TrimSpace(a.Text),
		Language:   cmp.Or(languageCode(a.Language), primarySubtag(rec.Language)),
		Confidence: a.confidence(),
		Duration:   seconds(cmp.Or(a.Duration, a.Usage.Seconds)),
		Model:      t.opt.Model,
		Vendor:     Vendor,
		RequestID:  raw.Header.Get("X-Request-Id"),
	}
	if out.Text == "" {
		out.Confidence = 0
		return out
	}
	for _, w := range a.Words {
		out.Words = append(out.Words, providers.Word{
			Text: w.Word, StartMS: int(seconds(w.Start).Milliseconds()), EndMS: int(seconds(w.End).Milliseconds()),
		})
	}
	return out
}

// seconds converts an engine's seconds, which may be anything, to a duration of at most a day.
func seconds(s float64) time.Duration {
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, 86400) * float64(time.Second))
}

// primarySubtag returns "es" for "es-MX".
func primarySubtag(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	return tag
}
