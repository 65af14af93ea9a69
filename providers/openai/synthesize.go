package openai

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"kalami/providers"
)

// MaxScript is the longest text of one clip that the API takes, in characters.
const MaxScript = 4096

// SynthesizerOptions configure a [Synthesizer]. All but the endpoint's key have defaults.
type SynthesizerOptions struct {
	Endpoint
	// Model's name; empty means [DefaultSpeechModel]. Models whose name begins with
	// "gpt-" are told the style and the language; the others know neither.
	Model string
	// Voice is the name of the voice where nothing else says; empty means [DefaultVoice].
	Voice string
	// Voices are the names by primary language subtag, where they differ from Voice.
	Voices map[string]string
	// Offered are the names of the voices on offer; nil means OpenAI's own.
	Offered []string
	// FirstAudioTimeout bounds the wait for a clip's first bytes; 0 means
	// [DefaultFirstAudioTimeout].
	FirstAudioTimeout time.Duration
	// StallTimeout bounds the wait for further ones; 0 means [DefaultStallTimeout].
	StallTimeout time.Duration
}

// Synthesizer makes clips through POST /audio/speech. Safe for concurrent use.
type Synthesizer struct {
	opt    SynthesizerOptions
	client client
}

var _ providers.Synthesizer = (*Synthesizer)(nil)

// NewSynthesizer returns a synthesizer, or an error naming the option that cannot be
// used. It makes no request.
func NewSynthesizer(opt SynthesizerOptions) (*Synthesizer, error) {
	c, err := opt.connect()
	if err != nil {
		return nil, err
	}
	opt.BaseURL = cmp.Or(opt.BaseURL, DefaultBaseURL)
	opt.Model = cmp.Or(opt.Model, DefaultSpeechModel)
	opt.Voice = cmp.Or(opt.Voice, DefaultVoice)
	opt.Voices = maps.Clone(opt.Voices)
	opt.FirstAudioTimeout = cmp.Or(opt.FirstAudioTimeout, DefaultFirstAudioTimeout)
	opt.StallTimeout = cmp.Or(opt.StallTimeout, DefaultStallTimeout)
	if opt.FirstAudioTimeout < 0 || opt.StallTimeout < 0 {
		return nil, fmt.Errorf("openai: timeouts: must not be negative")
	}
	if opt.Offered = slices.Clone(opt.Offered); opt.Offered == nil {
		opt.Offered = builtInVoices(opt.Model)
	}
	return &Synthesizer{opt: opt, client: c}, nil
}

// builtInVoices are OpenAI's own; the older models have fewer.
func builtInVoices(model string) []string {
	all := []string{"alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer"}
	if strings.HasPrefix(model, "gpt-") {
		all = append(all, "ballad", "cedar", "marin", "verse")
		slices.Sort(all)
	}
	return all
}

// Name implements providers.Synthesizer.
func (s *Synthesizer) Name() string { return Vendor }

// Close frees idle connections. Clips are closed by who got them.
func (s *Synthesizer) Close() { s.client.http.CloseIdleConnections() }

// Voices implements providers.Synthesizer. It makes no request: the API has no list of
// voices, and tells no language or gender of theirs.
func (s *Synthesizer) Voices(context.Context) ([]providers.VoiceInfo, error) {
	all := make([]providers.VoiceInfo, len(s.opt.Offered))
	for i, id := range s.opt.Offered {
		name := id
		if id != "" {
			name = strings.ToUpper(id[:1]) + id[1:]
		}
		all[i] = providers.VoiceInfo{ID: id, Name: name, Labels: map[string]string{}, Vendor: Vendor}
	}
	return all, nil
}

// Signature implements providers.Synthesizer.
func (s *Synthesizer) Signature(script providers.Script) string {
	return fmt.Sprintf("%s %s %s mp3 voice=%s speed=%.3f instructions=%q",
		Vendor, s.opt.BaseURL, s.opt.Model, s.voice(script), s.speed(script), s.instructions(script))
}

func (s *Synthesizer) voice(script providers.Script) string {
	return cmp.Or(script.VoiceID, s.opt.Voices[primarySubtag(script.Language)], s.opt.Voice)
}

func (s *Synthesizer) speed(script providers.Script) float64 {
	return min(max(script.Pace(), MinSpeed), MaxSpeed)
}

// instructions tell a model that takes them how to speak, empty for the others. The
// language matters for single words that several have ("pain").
func (s *Synthesizer) instructions(script providers.Script) string {
	if !strings.HasPrefix(s.opt.Model, "gpt-") {
		return ""
	}
	var all []string
	if lang := primarySubtag(script.Language); lang != "" && len(lang) <= 3 {
		all = append(all, fmt.Sprintf("The text is in the language with the code %q: speak it as its native speakers do.", lang))
	}
	switch script.Style {
	case providers.Friendly:
		all = append(all, "Speak in a warm and friendly voice.")
	case providers.Encouraging:
		all = append(all, "Speak like a teacher who is pleased with a learner: lively and encouraging.")
	case providers.Slow:
		all = append(all, "Speak clearly, and pronounce each word carefully.")
	}
	return strings.Join(all, " ")
}

// Synthesize implements providers.Synthesizer.
func (s *Synthesizer) Synthesize(ctx context.Context, script providers.Script) (providers.Clip, error) {
	const op = "synthesize"
	switch n := utf8.RuneCountInString(script.Text); {
	case n == 0:
		return providers.Clip{}, failure(op, nil, providers.Invalid, "there is no text", nil)
	case n > MaxScript:
		return providers.Clip{}, failure(op, nil, providers.Invalid, "the text is longer than 4096 characters", nil)
	}
	params := sdk.AudioSpeechNewParams{
		Input:          script.Text,
		Model:          s.opt.Model,
		Voice:          sdk.AudioSpeechNewParamsVoiceUnion{OfString: sdk.String(s.voice(script))},
		ResponseFormat: sdk.AudioSpeechNewParamsResponseFormatMP3,
	}
	if speed := s.speed(script); speed != 1 {
		params.Speed = sdk.Float(speed)
	}
	if how := s.instructions(script); how != "" {
		params.Instructions = sdk.String(how)
	}
	call, dog := providers.Watch(ctx, s.opt.FirstAudioTimeout, "no first audio")
	var raw *http.Response
	if err := s.client.Post(call, "audio/speech", params, &raw, option.WithHeader("Accept", "audio/mpeg")); err != nil {
		defer dog.Stop()
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return providers.Clip{}, context.Cause(ctx)
		case late != nil:
			return providers.Clip{}, failure(op, raw, providers.Unavailable, "", late)
		}
		return providers.Clip{}, classify(op, raw, err)
	}
	return providers.MP3Answer{Body: raw.Body, Vendor: Vendor, Dog: dog, Stall: s.opt.StallTimeout,
		Failed: func(cause error) error { return failure(op, raw, providers.Unavailable, "", cause) }}.Clip(ctx)
}
