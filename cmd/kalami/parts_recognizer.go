package main

import (
	"log/slog"

	"kalami/providers/deepgram"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// hears says whether some real recogniser of live speech is configured.
func (c *Config) hears() bool {
	return c.Deepgram.Key != "" || c.hearsBySegments()
}

// hearsBySegments says whether there is one that speaks OpenAI's API.
func (c *Config) hearsBySegments() bool { return c.STT.BaseURL != "" || c.OpenAI.Key != "" }

// openRecognizer orders what hears the learner: the endpoint of Deepgram that is chosen
// for the language, the other one where it knows the language, and by segments an engine
// of one's own, or else OpenAI. Without any the simulator plays Deepgram. It makes no request.
func (p *parts) openRecognizer(cfg *Config, log *slog.Logger) error {
	var ears []failover.Ear
	if cfg.Deepgram.Key != "" || !cfg.hearsBySegments() {
		both, err := p.deepgramEars(cfg, log)
		if err != nil {
			return err
		}
		ears, p.names.STT = both, both[0].Name()
		if cfg.Deepgram.Key == "" {
			p.names.STT = p.simulated("DEEPGRAM_API_KEY")
		}
	}
	if cfg.hearsBySegments() {
		ear, err := p.segmentEar(cfg)
		if err != nil {
			return err
		}
		if ears = append(ears, ear); len(ears) == 1 {
			p.names.STT = ear.Name()
		}
	}
	opt := failover.RecognizerOptions{Options: p.choice(log)}
	opt.Concurrent = cfg.Sessions.Max
	p.recognizer = failover.NewRecognizer(opt, ears[0], ears[1:]...)
	p.idle = append(p.idle, p.recognizer.Close)
	return nil
}

// deepgramEars are the endpoint that is chosen for a language, and the other one.
func (p *parts) deepgramEars(cfg *Config, log *slog.Logger) ([]failover.Ear, error) {
	d := cfg.Deepgram
	chosen := func(language string) deepgram.Endpoint {
		switch d.Engines[language] {
		case Flux:
			return deepgram.Flux
		case Nova:
			return deepgram.Nova
		}
		return deepgram.BestEndpoint(language)
	}
	other := func(language string) deepgram.Endpoint { return chosen(language).Other() }
	opt := deepgram.Options{Key: d.Key.Reveal(), BaseURL: string(d.BaseURL), NovaModel: d.NovaModel, FluxModel: d.FluxModel,
		DialTimeout: d.DialTimeout, EndpointingMS: int(d.Endpointing.Milliseconds()), Log: log}
	if d.Key == "" {
		opt.Key, opt.BaseURL = demoPart, p.simulator.url
	}
	var err error
	if opt.BaseURL, err = p.via(simulate.Deepgram, opt.BaseURL); err != nil {
		return nil, err
	}
	var ears []failover.Ear
	for _, endpoint := range []func(string) deepgram.Endpoint{chosen, other} {
		opt.Endpoint = endpoint
		client, err := deepgram.New(opt)
		if err != nil {
			return nil, err
		}
		ears = append(ears, failover.Ear{Recognizer: client, Replay: float64(d.ReplaySpeed)})
	}
	ears[1].Hears = func(language string) bool { return other(language).Hears(language) }
	return ears, nil
}

// segmentEar hears by segments. What is said again is cut here and costs the vendor
// nothing, so it goes as fast as it can.
func (p *parts) segmentEar(cfg *Config) (failover.Ear, error) {
	opt := openai.TranscriberOptions{Model: cfg.OpenAI.STTModel, Timeout: cfg.OpenAI.STTTimeout,
		Endpoint: openai.Endpoint{Key: cfg.OpenAI.Key.Reveal(), BaseURL: string(cfg.OpenAI.BaseURL)}}
	if s := cfg.STT; s.BaseURL != "" {
		opt = openai.TranscriberOptions{Model: s.Model, Timeout: s.Timeout,
			Endpoint: openai.Endpoint{Key: s.Key.Reveal(), BaseURL: string(s.BaseURL)}}
	}
	var err error
	if opt.BaseURL, err = p.via(simulate.OpenAI, opt.BaseURL); err != nil {
		return failover.Ear{}, err
	}
	t, err := openai.NewTranscriber(opt)
	if err != nil {
		return failover.Ear{}, err
	}
	p.idle = append(p.idle, t.Close)
	r := openai.NewRecognizer(t)
	return failover.Ear{Recognizer: r, Replay: -1, Untimed: !r.Timed()}, nil
}
