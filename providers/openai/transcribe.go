package openai

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"kalami/providers"
)

// Limits and defaults of [Transcriber].
const (
	// MaxRecording is the largest file that OpenAI takes, in bytes.
	MaxRecording             = 25 << 20
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

// Transcriber turns recorded audio into text. Safe for concurrent use.
type Transcriber struct {
	opt    TranscriberOptions
	client client
}

// Recording is an audio file to transcribe.
type Recording struct {
	// Audio is read to its end, at most [MaxRecording] bytes.
	Audio io.Reader
	// FileName tells the format by its extension: flac, mp3, mp4, m4a, ogg, wav or
	// webm. A path before it is not sent.
	FileName string
	// Language is a BCP-47 tag that is known beforehand, or empty to have it detected.
	Language string
}

// Transcript is what was heard in a recording.
type Transcript struct {
	// Text is empty when nothing was said.
	Text string
	// Language is a BCP-47 primary subtag: the one detected, else the one given,
	// else empty.
	Language string
	// Duration of the audio; 0 when the model does not tell.
	Duration time.Duration
	// Words with their times, where the engine gives them.
	Words []providers.Word
	// Model and RequestID name the model that was asked and the call.
	Model, RequestID string
}

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
	Usage struct {
		Seconds float64 `json:"seconds"`
	} `json:"usage"`
}

// Transcribe sends a recording and waits for its text. It blocks until the answer,
// the timeout, or the end of ctx, whose cause it returns; other errors are
// *providers.Error. An empty or too large recording is Invalid and is not sent.
func (t *Transcriber) Transcribe(ctx context.Context, rec Recording) (Transcript, error) {
	const op = "transcribe"
	audio, err := io.ReadAll(io.LimitReader(rec.Audio, MaxRecording+1))
	if err != nil {
		return Transcript{}, fmt.Errorf("openai: reading the recording: %w", err)
	}
	switch {
	case len(audio) == 0:
		return Transcript{}, failure(op, nil, providers.Invalid, "the recording is empty", nil)
	case len(audio) > MaxRecording:
		return Transcript{}, failure(op, nil, providers.Invalid, "the recording is larger than 25 MiB", nil)
	}
	call, dog := providers.Watch(ctx, t.opt.Timeout, "no transcript")
	defer dog.Stop()
	var raw *http.Response
	var answer transcription
	err = t.client.Post(call, "audio/transcriptions", t.params(rec, audio), &answer, option.WithResponseInto(&raw))
	if err != nil {
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return Transcript{}, context.Cause(ctx)
		case late != nil:
			return Transcript{}, failure(op, raw, providers.Unavailable, "", late)
		}
		return Transcript{}, classify(op, raw, err)
	}
	return t.transcript(rec, answer, raw), nil
}

// params lays the request out. The verbose form alone tells language and duration;
// the gpt models do not have it.
func (t *Transcriber) params(rec Recording, audio []byte) sdk.AudioTranscriptionNewParams {
	name := rec.FileName
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	params := sdk.AudioTranscriptionNewParams{
		File:           sdk.File(bytes.NewReader(audio), cmp.Or(name, "audio.wav"), "application/octet-stream"),
		Model:          t.opt.Model,
		ResponseFormat: sdk.AudioResponseFormatVerboseJSON,
	}
	if strings.HasPrefix(t.opt.Model, "gpt-") {
		params.ResponseFormat = sdk.AudioResponseFormatJSON
	}
	if lang := primarySubtag(rec.Language); lang != "" {
		params.Language = sdk.String(lang)
	}
	return params
}

// transcript makes the result from an answer.
func (t *Transcriber) transcript(rec Recording, a transcription, raw *http.Response) Transcript {
	out := Transcript{
		Text:      strings.TrimSpace(a.Text),
		Language:  cmp.Or(languageCode(a.Language), primarySubtag(rec.Language)),
		Duration:  seconds(cmp.Or(a.Duration, a.Usage.Seconds)),
		Model:     t.opt.Model,
		RequestID: raw.Header.Get("X-Request-Id"),
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
