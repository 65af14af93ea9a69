package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/simulate"
	"kalami/session"
)

// demoPart is the name of a simulated part of the tutor.
const demoPart = "demo"

// demoLatency makes the demo tutor answer at about the pace of real vendors.
var demoLatency = simulate.Latency{
	STTPartial:    simulate.Delay{P50: 120 * time.Millisecond, P99: 250 * time.Millisecond},
	STTFinal:      simulate.Delay{P50: 200 * time.Millisecond, P99: 400 * time.Millisecond},
	STTEager:      simulate.Delay{P50: 100 * time.Millisecond, P99: 200 * time.Millisecond},
	LLMFirstToken: simulate.Delay{P50: 300 * time.Millisecond, P99: 600 * time.Millisecond},
	LLMToken:      simulate.Delay{P50: 15 * time.Millisecond, P99: 40 * time.Millisecond},
	TTSFirstByte:  simulate.Delay{P50: 120 * time.Millisecond, P99: 250 * time.Millisecond},
	TTSRealTime:   8,
}

// parts are the clients that hear, think and speak. Each part turns real by its own
// key, independently; the others are served by a simulator inside the process, which
// the same clients talk to over a loopback socket.
type parts struct {
	recognizer *failover.Recognizer
	tutor      *failover.Tutor
	analyst    providers.Analyst
	voice      providers.Voice
	// assessors judge pronunciation, in the order in which they are asked; empty for none.
	assessors []providers.Assessor
	// names says who serves each part, demoPart for the simulator.
	names session.Parts
	// missing are the variables that would turn the simulated parts real.
	missing []string

	via       route
	probes    *failover.Probes // of all parts
	observer  failover.Observer
	called    func(failover.Part, string, failover.Why) // nil for nobody
	share     int                                       // percent of a vendor's calls that one school may take
	simulator *simulator                                // nil when every part is real
	scripts   map[string]simulate.Script
	idle      []func() // closes the clients' idle connections
}

// route says at which base URL a client finds the vendor that is at base: there, or
// where something stands between them.
type route func(vendor simulate.Vendor, base string) (string, error)

// direct is the route with nothing between.
func direct(_ simulate.Vendor, base string) (string, error) { return base, nil }

// openParts makes the clients, which reach their vendors by via; the observer is told what
// becomes of calls. It makes no request to a vendor.
func openParts(ctx context.Context, cfg *Config, log *slog.Logger, observer failover.Observer, called func(failover.Part, string, failover.Why), via route) (*parts, error) {
	p := &parts{scripts: simulate.Scripts(), via: via, probes: failover.NewProbes(), observer: observer, called: called, share: cfg.Sessions.TenantShare}
	if !cfg.hears() || !cfg.thinks() || !cfg.speaks() {
		var err error
		if p.simulator, err = startSimulator(ctx, simulate.Options{Latency: demoLatency, Log: log}, "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(p.openRecognizer(cfg, log), p.openTutor(cfg, log), p.openAnalyst(cfg, log), p.openVoice(cfg, log)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// thinks says whether some real language model is configured, speaks whether some real voice is.
func (c *Config) thinks() bool {
	return c.Anthropic.Key != "" || c.OpenAI.Key != "" || c.LLM.BaseURL != ""
}
func (c *Config) speaks() bool {
	return c.ElevenLabs.Key != "" || c.OpenAI.Key != "" || c.TTS.BaseURL != ""
}

// choice is what the choices of vendors of all parts have in common.
func (p *parts) choice(log *slog.Logger) failover.Options {
	return failover.Options{TenantShare: p.share, Probes: p.probes, Observer: p.observer, Called: p.called, Log: log}
}

// simulated notes that a part is the simulator's, and what would make it real.
func (p *parts) simulated(variable string) string {
	p.missing = append(p.missing, variable)
	return demoPart
}

// openTutor orders the language models: Claude, an engine of one's own, GPT.
func (p *parts) openTutor(cfg *Config, log *slog.Logger) error {
	var tutors []providers.Tutor
	if a := cfg.Anthropic; a.Key != "" {
		t, err := p.claude(anthropic.Options{Key: a.Key.Reveal(), BaseURL: string(a.BaseURL), Model: a.Model,
			FirstTokenTimeout: a.FirstTokenTimeout, Log: log})
		if err != nil {
			return err
		}
		tutors, p.names.LLM = append(tutors, t), t.Name()
	}
	for _, opt := range gptOptions(cfg, log) {
		var err error
		if opt.BaseURL, err = p.via(simulate.OpenAI, opt.BaseURL); err != nil {
			return err
		}
		t, err := openai.NewTutor(opt)
		if err != nil {
			return err
		}
		tutors, p.idle = append(tutors, t), append(p.idle, t.Close)
		if p.names.LLM == "" {
			p.names.LLM = t.Name()
		}
	}
	if len(tutors) == 0 {
		p.names.LLM = p.simulated("ANTHROPIC_API_KEY")
		t, err := p.claude(anthropic.Options{Key: demoPart, BaseURL: p.simulator.url, Log: log})
		if err != nil {
			return err
		}
		tutors = append(tutors, t)
	}
	p.tutor = failover.NewTutor(p.choice(log), tutors[0], tutors[1:]...)
	p.idle = append(p.idle, p.tutor.Close)
	return nil
}

// claude makes a tutor behind Anthropic's API.
func (p *parts) claude(opt anthropic.Options) (_ *anthropic.Tutor, err error) {
	if opt.BaseURL, err = p.via(simulate.Anthropic, opt.BaseURL); err != nil {
		return nil, err
	}
	t, err := anthropic.New(opt)
	if err != nil {
		return nil, err
	}
	p.idle = append(p.idle, t.Close)
	return t, nil
}

// gptOptions are those of the configured models behind OpenAI's API, in order.
func gptOptions(cfg *Config, log *slog.Logger) (all []openai.TutorOptions) {
	if l := cfg.LLM; l.BaseURL != "" {
		model := l.Model
		if model == "" {
			model = cfg.OpenAI.Model
		}
		all = append(all, openai.TutorOptions{Endpoint: openai.Endpoint{Key: l.Key.Reveal(), BaseURL: string(l.BaseURL)},
			Model: model, LegacyMaxTokens: true, FirstTokenTimeout: l.FirstTokenTimeout, Log: log})
	}
	if o := cfg.OpenAI; o.Key != "" {
		all = append(all, openai.TutorOptions{Endpoint: openai.Endpoint{Key: o.Key.Reveal(), BaseURL: string(o.BaseURL)},
			Model: o.Model, FirstTokenTimeout: o.FirstTokenTimeout, Log: log})
	}
	return all
}

// demo is what a session in a language says about its simulated parts; nil when all are real.
func (p *parts) demo(language string) *session.DemoInfo {
	if len(p.missing) == 0 {
		return nil
	}
	info := &session.DemoInfo{Missing: p.missing}
	if p.names.STT == demoPart {
		for _, turn := range p.scripts[language].Turns {
			info.Script = append(info.Script, turn.Learner)
		}
	}
	return info
}

// languages are those that the demo tutor speaks; none when no part is simulated.
func (p *parts) languages() []string {
	if len(p.missing) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(p.scripts))
}

// Close frees the clients' connections and stops the simulator.
func (p *parts) Close() error {
	for _, free := range p.idle {
		free()
	}
	if p.simulator == nil {
		return nil
	}
	return p.simulator.Close()
}

// simulator is a running simulate.Server.
type simulator struct {
	url    string
	vendor *simulate.Server
	http   *http.Server
	served chan error
}

// startSimulator serves the vendors' protocols at addr. Close it.
func startSimulator(ctx context.Context, opt simulate.Options, addr string) (*simulator, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s := &simulator{url: "http://" + l.Addr().String(), vendor: simulate.New(opt), served: make(chan error, 1)}
	s.http = &http.Server{Handler: s.vendor, ReadHeaderTimeout: 5 * time.Second}
	go func() { s.served <- s.http.Serve(l) }() // joined by Close
	return s, nil
}

// Close ends every connection and waits.
func (s *simulator) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	s.vendor.Close()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
