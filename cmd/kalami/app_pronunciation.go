package main

import (
	"kalami/providers"
	"kalami/providers/azure"
	"kalami/providers/speechace"
	"kalami/session"
)

// newPronunciation composes what assesses how learners speak. Deepgram is asked first where
// it is there: it says how sure it is of each word.
func (a *app) newPronunciation() *session.Pronunciation {
	p := &session.Pronunciation{Ears: a.speech, Assessors: a.parts.assessors, Store: a.db, Log: a.log}
	if a.cfg.Deepgram.Key != "" || !a.cfg.hearsRecordings() {
		p.First = deepgramName
	}
	return p
}

// openAssessors makes those that judge sounds, of which there are none without a key. It
// makes no request.
func (p *parts) openAssessors(cfg *Config) ([]providers.Assessor, error) {
	var all []providers.Assessor
	if c := cfg.Azure; c.Key != "" {
		one, err := azure.New(azure.Options{Key: c.Key.Reveal(), Region: c.Region, BaseURL: string(c.BaseURL), Timeout: c.Timeout})
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, one), append(p.idle, one.Close)
	}
	if c := cfg.SpeechAce; c.Key != "" {
		one, err := speechace.New(speechace.Options{Key: c.Key.Reveal(), BaseURL: string(c.BaseURL), Timeout: c.Timeout})
		if err != nil {
			return nil, err
		}
		all, p.idle = append(all, one), append(p.idle, one.Close)
	}
	return all, nil
}
