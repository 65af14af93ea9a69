package main

import (
	"log/slog"

	"kalami/providers"
	"kalami/providers/elevenlabs"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// openVoice orders the voices: ElevenLabs, an engine of one's own, OpenAI. The later ones
// go on when an earlier one fails. It makes no request.
func (p *parts) openVoice(cfg *Config, log *slog.Logger) error {
	var voices []providers.Voice
	add := func(v providers.Voice, free func()) {
		voices, p.idle = append(voices, v), append(p.idle, free)
	}
	eleven := elevenlabs.Options{Key: cfg.ElevenLabs.Key.Reveal(), BaseURL: string(cfg.ElevenLabs.BaseURL), Model: cfg.ElevenLabs.Model,
		Voices: cfg.ElevenLabs.Voices, DialTimeout: cfg.ElevenLabs.DialTimeout, Log: log}
	if !cfg.speaks() {
		p.names.TTS = p.simulated("ELEVENLABS_API_KEY")
		eleven.Key, eleven.BaseURL = demoPart, p.simulator.url
	}
	if eleven.Key != "" {
		var err error
		if eleven.BaseURL, err = p.via(simulate.ElevenLabs, eleven.BaseURL); err != nil {
			return err
		}
		v, err := elevenlabs.New(eleven)
		if err != nil {
			return err
		}
		add(v, v.Close)
	}
	for _, opt := range gptVoices(cfg) {
		var err error
		if opt.BaseURL, err = p.via(simulate.OpenAI, opt.BaseURL); err != nil {
			return err
		}
		v, err := openai.NewVoice(opt)
		if err != nil {
			return err
		}
		add(v, v.Close)
	}
	if p.names.TTS == "" {
		p.names.TTS = voices[0].Name()
	}
	voice := failover.NewVoice(p.choice(log), voices[0], voices[1:]...)
	p.voice, p.idle = voice, append(p.idle, voice.Close)
	return nil
}

// gptVoices are the options of the configured voices behind OpenAI's API, in order.
func gptVoices(cfg *Config) (all []openai.VoiceOptions) {
	if t := cfg.TTS; t.BaseURL != "" {
		all = append(all, openai.VoiceOptions{Endpoint: openai.Endpoint{Key: t.Key.Reveal(), BaseURL: string(t.BaseURL)},
			Model: t.Model, Voice: t.Voice, FirstAudioTimeout: t.FirstByteTimeout})
	}
	if o := cfg.OpenAI; o.Key != "" {
		all = append(all, openai.VoiceOptions{Endpoint: openai.Endpoint{Key: o.Key.Reveal(), BaseURL: string(o.BaseURL)},
			Model: o.TTSModel, Voice: o.Voice, FirstAudioTimeout: o.FirstByteTimeout})
	}
	return all
}
