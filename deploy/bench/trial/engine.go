package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"kalami/deploy/bench/worderror"
	"kalami/gateway/learner"
	"kalami/providers"
	"kalami/providers/openai"
)

// Engine speaks and recognises recorded speech, so that the tutor's audio can be held
// against its captions. It is a server that speaks OpenAI's protocol.
type Engine struct {
	address string
	ears    *openai.Transcriber
	http    *http.Client
}

// NewEngine returns the one at an address such as "http://127.0.0.1:8089". Close it.
func NewEngine(address string) (*Engine, error) {
	address = strings.TrimSuffix(address, "/") + "/v1"
	ears, err := openai.NewTranscriber(openai.TranscriberOptions{Endpoint: openai.Endpoint{BaseURL: address}})
	if err != nil {
		return nil, err
	}
	return &Engine{address, ears, &http.Client{Transport: providers.NewTransport()}}, nil
}

// Close frees the engine's idle connections.
func (e *Engine) Close() {
	e.ears.Close()
	e.http.CloseIdleConnections()
}

// Hear returns what is said in a recording. It blocks until the engine has answered or ctx ends.
func (e *Engine) Hear(ctx context.Context, language string, rec learner.Recording) (string, error) {
	heard, err := e.ears.Transcribe(ctx, providers.Recording{Audio: rec.WAV(), Format: providers.WAV, Language: language})
	return heard.Text, err
}

// Say returns a text spoken by the engine itself. It blocks until the engine has answered or ctx ends.
func (e *Engine) Say(ctx context.Context, language, text string) (learner.Recording, error) {
	body, err := json.Marshal(map[string]string{
		"model": "tts-1", "voice": "alloy", "input": text, "language": language, "response_format": "wav"})
	if err != nil {
		return learner.Recording{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address+"/audio/speech", bytes.NewReader(body))
	if err != nil {
		return learner.Recording{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := e.http.Do(r)
	if err != nil {
		return learner.Recording{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return learner.Recording{}, fmt.Errorf("%s: %s", r.URL, res.Status)
	}
	return learner.ReadWAV(res.Body)
}

// Echo is one of the tutor's answers, recognised again from its audio.
type Echo struct {
	// Caption is what the tutor said.
	Caption string
	// Heard is what the engine understood of the tutor's audio, and Tutor the errors in it.
	Heard string
	Tutor worderror.Count
	// Alone are the errors when the engine speaks the caption itself and listens to
	// that, counted only when Tutor has too many: an engine that misunderstands its
	// own voice cannot tell whether Kalami's audio is as it should be.
	Alone worderror.Count
}

// EchoAll recognises every different answer, of all trials in a language, that was
// not interrupted. It blocks until the engine has answered or ctx ends.
func (e *Engine) EchoAll(ctx context.Context, language string, held []*Trial) (echoes []Echo, err error) {
	done := map[string]bool{}
	for _, t := range held {
		if t.Language != language {
			continue
		}
		for i := range t.Result.Replies {
			r := &t.Result.Replies[i]
			if r.Cut || done[r.Caption] {
				continue
			}
			done[r.Caption] = true
			echo, err := e.Echo(ctx, language, r)
			if err != nil {
				return echoes, err
			}
			echoes = append(echoes, echo)
		}
	}
	return echoes, nil
}

// Echo recognises a reply's audio again. It blocks until the engine has answered or ctx ends.
func (e *Engine) Echo(ctx context.Context, language string, r *Reply) (Echo, error) {
	heard, err := e.Hear(ctx, language, r.Audio)
	echo := Echo{Caption: r.Caption, Heard: heard, Tutor: worderror.Compare(r.Caption, heard)}
	if err != nil || echo.Right() {
		return echo, err
	}
	alone, err := e.Say(ctx, language, r.Caption)
	if err != nil {
		return echo, err
	}
	heard, err = e.Hear(ctx, language, alone)
	echo.Alone = worderror.Compare(r.Caption, heard)
	return echo, err
}

// Right says whether the audio has the words of the caption.
func (e *Echo) Right() bool { return e.Tutor.Words > 0 && e.Tutor.Rate() <= MaxWordError }

// Lost says whether words went wrong on the way through Kalami: more than are
// allowed, and more than the engine gets wrong alone.
func (e *Echo) Lost() bool { return !e.Right() && e.Tutor.Errors > e.Alone.Errors }
