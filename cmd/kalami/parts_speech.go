package main

import (
	"log/slog"

	"kalami/providers/deepgram"
	"kalami/providers/elevenlabs"
	"kalami/providers/openai"
	"kalami/providers/simulate"
	"kalami/providers/speech"
	"kalami/store/live"
)

// The names that the API has for vendors of recorded speech.
const (
	whisperName    = "whisper"
	deepgramName   = "deepgram"
	elevenLabsName = "elevenlabs"
	openAIName     = "openai"
)

// maxClips is how many clips are kept, however short they are.
const maxClips = 10_000

// openSpeech makes what hears recordings and makes clips: Whisper before Deepgram,
// ElevenLabs before OpenAI, as far as they are configured. It makes no request to a
// vendor.
func (p *parts) openSpeech(cfg *Config, store *live.Store, log *slog.Logger) (*speech.Service, error) {
	opt := speech.Options{NoTranscribeFallback: !cfg.Speech.STTFallback, NoSynthesizeFallback: !cfg.Speech.TTSFallback, Log: log}
	if mib := cfg.Speech.ClipCache; mib > 0 {
		clips, err := store.Clips(live.ClipLimits{Bytes: mib << 20, Entries: maxClips, Idle: cfg.Speech.ClipTTL})
		if err != nil {
			return nil, err
		}
		opt.Clips = clips
	}
	var err error
	if opt.Transcribers, err = p.transcribers(cfg); err != nil {
		return nil, err
	}
	if opt.Synthesizers, err = p.synthesizers(cfg); err != nil {
		return nil, err
	}
	return speech.New(opt)
}

// hearsRecordings says whether some real vendor does.
func (c *Config) hearsRecordings() bool {
	return c.STT.BaseURL != "" || c.OpenAI.Key != "" || c.Deepgram.Key != ""
}

// transcribers are those that are configured, else both as the simulator plays them.
func (p *parts) transcribers(cfg *Config) (all []speech.Transcriber, err error) {
	whisper := openai.TranscriberOptions{Model: cfg.OpenAI.STTModel, Timeout: cfg.OpenAI.STTTimeout,
		Endpoint: openai.Endpoint{Key: cfg.OpenAI.Key.Reveal(), BaseURL: string(cfg.OpenAI.BaseURL)}}
	if s := cfg.STT; s.BaseURL != "" {
		whisper = openai.TranscriberOptions{Model: s.Model, Timeout: s.Timeout,
			Endpoint: openai.Endpoint{Key: s.Key.Reveal(), BaseURL: string(s.BaseURL)}}
	}
	recorded := deepgram.TranscriberOptions{Key: cfg.Deepgram.Key.Reveal(), BaseURL: string(cfg.Deepgram.BaseURL),
		Model: cfg.Deepgram.NovaModel, Timeout: cfg.Deepgram.RecordedTimeout}
	demo := !cfg.hearsRecordings()
	if demo {
		whisper.Key, whisper.BaseURL = demoPart, p.simulator.url+"/v1"
		recorded.Key, recorded.BaseURL = demoPart, p.simulator.url
	}
	if demo || cfg.STT.BaseURL != "" || cfg.OpenAI.Key != "" {
		if whisper.BaseURL, err = p.via(simulate.OpenAI, whisper.BaseURL); err != nil {
			return nil, err
		}
		t, err := openai.NewTranscriber(whisper)
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, speech.Transcriber{Name: whisperName, Transcriber: t}), append(p.idle, t.Close)
	}
	if demo || cfg.Deepgram.Key != "" {
		if recorded.BaseURL, err = p.via(simulate.Deepgram, recorded.BaseURL); err != nil {
			return nil, err
		}
		t, err := deepgram.NewTranscriber(recorded)
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, speech.Transcriber{Name: deepgramName, Transcriber: t}), append(p.idle, t.Close)
	}
	return all, nil
}

// synthesizers are those that are configured, else both as the simulator plays them.
func (p *parts) synthesizers(cfg *Config) (all []speech.Synthesizer, err error) {
	e, o := cfg.ElevenLabs, cfg.OpenAI
	eleven := elevenlabs.SynthesizerOptions{Key: e.Key.Reveal(), BaseURL: string(e.BaseURL), Model: e.Model, Voices: e.Voices,
		FirstByteTimeout: e.FirstByteTimeout}
	second := openai.SynthesizerOptions{Endpoint: openai.Endpoint{Key: o.Key.Reveal(), BaseURL: string(o.BaseURL)},
		Model: o.TTSModel, Voice: o.Voice, FirstAudioTimeout: o.FirstByteTimeout}
	if t := cfg.TTS; t.BaseURL != "" {
		second = openai.SynthesizerOptions{Endpoint: openai.Endpoint{Key: t.Key.Reveal(), BaseURL: string(t.BaseURL)},
			Model: t.Model, Voice: t.Voice, Offered: []string{t.Voice}, FirstAudioTimeout: t.FirstByteTimeout}
	}
	demo := !cfg.speaks()
	if demo {
		eleven.Key, eleven.BaseURL = demoPart, p.simulator.url
		second.Key, second.BaseURL = demoPart, p.simulator.url+"/v1"
	}
	if demo || e.Key != "" {
		if eleven.BaseURL, err = p.via(simulate.ElevenLabs, eleven.BaseURL); err != nil {
			return nil, err
		}
		s, err := elevenlabs.NewSynthesizer(eleven)
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, speech.Synthesizer{Name: elevenLabsName, Synthesizer: s}), append(p.idle, s.Close)
	}
	if demo || cfg.TTS.BaseURL != "" || o.Key != "" {
		if second.BaseURL, err = p.via(simulate.OpenAI, second.BaseURL); err != nil {
			return nil, err
		}
		s, err := openai.NewSynthesizer(second)
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, speech.Synthesizer{Name: openAIName, Synthesizer: s}), append(p.idle, s.Close)
	}
	return all, nil
}
