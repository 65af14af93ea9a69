package elevenlabs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"kalami/providers"
)

// clipFormat is what clips are asked for: MP3 at 44.1 kHz and 64 kbit/s, which every
// plan has and which is plenty for one voice.
const clipFormat = "mp3_44100_64"

// MaxScript is the longest text of one clip, in characters: what the model that takes
// the least of those we know, eleven_v3, allows.
const MaxScript = 5000

// SynthesizerOptions configure a [Synthesizer]. Only Key is needed for the vendor's own
// service.
type SynthesizerOptions struct {
	// Key is the API key (header xi-api-key).
	Key string
	// BaseURL, Model, Voice and Voices are as in [Options].
	BaseURL, Model, Voice string
	Voices                map[string]string
	// FirstByteTimeout bounds the wait for a clip's first bytes; default 5 s.
	FirstByteTimeout time.Duration
	// StallTimeout bounds the wait for further ones; default 10 s.
	StallTimeout time.Duration
	// Transport carries the requests; default an own [providers.NewTransport].
	Transport http.RoundTripper
}

// Synthesizer makes clips over HTTP. Safe for concurrent use.
//
// Clips are asked for by requests of its own: github.com/haguro/elevenlabs-go has
// neither language_code nor speed, fixes its context when it is made, and bounds a
// whole stream by one timeout. That package lists the voices; see [Carrier].
type Synthesizer struct {
	opt       SynthesizerOptions
	base      *url.URL
	client    *http.Client
	catalogue catalogue
}

var _ providers.Synthesizer = (*Synthesizer)(nil)

// NewSynthesizer checks the options and fills in defaults. It makes no request.
func NewSynthesizer(opt SynthesizerOptions) (*Synthesizer, error) {
	opt.BaseURL = cmp.Or(opt.BaseURL, defaultBaseURL)
	opt.Model = cmp.Or(opt.Model, defaultModel)
	opt.Voice = cmp.Or(opt.Voice, defaultVoice)
	opt.Voices = maps.Clone(opt.Voices)
	opt.FirstByteTimeout = cmp.Or(opt.FirstByteTimeout, 5*time.Second)
	opt.StallTimeout = cmp.Or(opt.StallTimeout, 10*time.Second)
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	base, err := parseBase(opt.BaseURL)
	switch {
	case err != nil:
	case opt.FirstByteTimeout < 0 || opt.StallTimeout < 0:
		err = errors.New("timeouts: must not be negative")
	default:
		err = checkVoices(opt.Voice, opt.Voices)
	}
	if err != nil {
		return nil, fmt.Errorf("elevenlabs: %w", err)
	}
	s := &Synthesizer{opt: opt, base: base, client: &http.Client{Transport: opt.Transport}}
	s.catalogue.turn = make(chan struct{}, 1)
	return s, nil
}

// Name implements providers.Synthesizer.
func (s *Synthesizer) Name() string { return vendor }

// Close frees idle connections. Clips are closed by who got them.
func (s *Synthesizer) Close() { s.client.CloseIdleConnections() }

// Signature implements providers.Synthesizer.
func (s *Synthesizer) Signature(script providers.Script) string {
	voice, lang := s.voice(script)
	settings, err := json.Marshal(settingsOf(script))
	if err != nil {
		return "" // cannot be: the settings are finite numbers
	}
	return fmt.Sprintf("%s %s %s %s voice=%s language=%s %s", vendor, s.opt.BaseURL, s.opt.Model, clipFormat, voice, lang, settings)
}

// voice is the one that speaks the script, and the language code to send: none to
// models that take none.
func (s *Synthesizer) voice(script providers.Script) (id, lang string) {
	lang, _, _ = strings.Cut(strings.ToLower(script.Language), "-")
	id = cmp.Or(script.VoiceID, s.opt.Voices[lang], s.opt.Voice)
	if !takesLanguage(s.opt.Model) {
		lang = ""
	}
	return id, lang
}

// clipSettings are a clip's voice_settings. The pace is set by speed and nothing else:
// a low stability makes a voice livelier, not slower.
type clipSettings struct {
	Stability  float64 `json:"stability"`
	Similarity float64 `json:"similarity_boost"`
	Style      float64 `json:"style"`
	Speed      float64 `json:"speed"`
}

// settingsOf maps a style to how lively (stability) and how exaggerated (style) the
// voice is.
func settingsOf(script providers.Script) clipSettings {
	out := clipSettings{Stability: 0.5, Similarity: 0.75, Speed: clampSpeed(script.Pace())}
	switch script.Style {
	case providers.Friendly:
		out.Stability, out.Style = 0.45, 0.2
	case providers.Encouraging:
		out.Stability, out.Style = 0.35, 0.4
	case providers.Slow:
		out.Stability = 0.7 // steady, so that each word can be followed
	}
	return out
}

// clipRequest is the body of a request for a clip.
type clipRequest struct {
	Text     string       `json:"text"`
	Model    string       `json:"model_id"`
	Language string       `json:"language_code,omitempty"`
	Settings clipSettings `json:"voice_settings"`
}

// Synthesize implements providers.Synthesizer.
func (s *Synthesizer) Synthesize(ctx context.Context, script providers.Script) (providers.Clip, error) {
	const op = "synthesize"
	voice, lang := s.voice(script)
	switch n := utf8.RuneCountInString(script.Text); {
	case n == 0:
		return providers.Clip{}, invalid(op, "there is no text")
	case n > MaxScript:
		return providers.Clip{}, invalid(op, fmt.Sprintf("the text is longer than %d characters", MaxScript))
	case !validVoice(voice):
		return providers.Clip{}, invalid(op, "the voice id has characters that none has")
	}
	body, err := json.Marshal(clipRequest{Text: script.Text, Model: s.opt.Model, Language: lang, Settings: settingsOf(script)})
	if err != nil {
		return providers.Clip{}, invalid(op, err.Error())
	}
	call, dog := providers.Watch(ctx, s.opt.FirstByteTimeout, "no first audio")
	resp, err := s.post(call, voice, body) //nolint:bodyclose // whoever gets the clip closes it
	if err != nil {
		defer dog.Stop()
		switch late := dog.Expired(); {
		case ctx.Err() != nil:
			return providers.Clip{}, context.Cause(ctx)
		case late != nil:
			return providers.Clip{}, &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, Err: late}
		}
		return providers.Clip{}, err
	}
	return providers.MP3Answer{Body: resp.Body, Vendor: vendor, Dog: dog, Stall: s.opt.StallTimeout, Failed: func(cause error) error {
		return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, RequestID: requestID(resp.Header), Err: cause}
	}}.Clip(ctx)
}

// post sends the request for a clip; the answer, a success, is unread.
func (s *Synthesizer) post(ctx context.Context, voice string, body []byte) (*http.Response, error) {
	const op = "synthesize"
	u := s.base.JoinPath("v1", "text-to-speech", url.PathEscape(voice), "stream")
	u.RawQuery = url.Values{"output_format": {clipFormat}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, invalid(op, err.Error())
	}
	req.Header.Set("Xi-Api-Key", s.opt.Key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "audio/mpeg")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, requestError(ctx, op, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // the status alone must do then
		return nil, refusal(op, resp, b)
	}
	return resp, nil
}
