package main

import (
	"cmp"
	"log/slog"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// openAnalyst orders the language models that look at what learners say, beside the
// spoken path: those of the tutor, in its order. It makes no request.
func (p *parts) openAnalyst(cfg *Config, log *slog.Logger) error {
	var analysts []providers.Analyst
	if a := cfg.Anthropic; a.Key != "" {
		one, err := p.claudeAnalyst(anthropic.AnalystOptions{Key: a.Key.Reveal(), BaseURL: string(a.BaseURL),
			Model: cmp.Or(a.AnalysisModel, a.Model), Log: log})
		if err != nil {
			return err
		}
		analysts = append(analysts, one)
	}
	for _, opt := range gptAnalysts(cfg, log) {
		var err error
		if opt.BaseURL, err = p.via(simulate.OpenAI, opt.BaseURL); err != nil {
			return err
		}
		one, err := openai.NewAnalyst(opt)
		if err != nil {
			return err
		}
		analysts, p.idle = append(analysts, one), append(p.idle, one.Close)
	}
	if len(analysts) == 0 {
		one, err := p.claudeAnalyst(anthropic.AnalystOptions{Key: demoPart, BaseURL: p.simulator.url, Log: log})
		if err != nil {
			return err
		}
		analysts = append(analysts, one)
	}
	analyst := failover.NewAnalyst(p.choice(log), analysts[0], analysts[1:]...)
	p.analyst, p.idle = analyst, append(p.idle, analyst.Close)
	return nil
}

// claudeAnalyst makes an analyst behind Anthropic's API.
func (p *parts) claudeAnalyst(opt anthropic.AnalystOptions) (_ *anthropic.Analyst, err error) {
	if opt.BaseURL, err = p.via(simulate.Anthropic, opt.BaseURL); err != nil {
		return nil, err
	}
	a, err := anthropic.NewAnalyst(opt)
	if err != nil {
		return nil, err
	}
	p.idle = append(p.idle, a.Close)
	return a, nil
}

// gptAnalysts are the options of the configured models behind OpenAI's API, in order.
func gptAnalysts(cfg *Config, log *slog.Logger) (all []openai.AnalystOptions) {
	if l := cfg.LLM; l.BaseURL != "" {
		all = append(all, openai.AnalystOptions{Endpoint: openai.Endpoint{Key: l.Key.Reveal(), BaseURL: string(l.BaseURL)},
			Model: cmp.Or(l.AnalysisModel, l.Model, cfg.OpenAI.Model), LegacyMaxTokens: true, Log: log})
	}
	if o := cfg.OpenAI; o.Key != "" {
		all = append(all, openai.AnalystOptions{Endpoint: openai.Endpoint{Key: o.Key.Reveal(), BaseURL: string(o.BaseURL)},
			Model: cmp.Or(o.AnalysisModel, o.Model), Log: log})
	}
	return all
}
