package main

import "kalami/session/drafts"

// newDrafts composes what decides on drafts for all conversations of this node; nil when
// there are to be none.
func (a *app) newDrafts() *drafts.Governor {
	d := a.cfg.Drafts
	if !d.Enabled {
		return nil
	}
	return drafts.New(drafts.Options{
		PerTurn:      float64(d.ExtraCalls) / 100,
		Conversation: drafts.Waste{Calls: d.PerMinute},
		Node:         drafts.Waste{Calls: d.Calls, Tokens: d.Tokens, Characters: d.Characters},
		Load:         a.load,
		Busy:         float64(d.Load) / 100,
	})
}

// load is how busy this node is: full of conversations, or without a language model that
// has calls to spare. It is asked by conversations, which there are none of before the
// gateway is open.
func (a *app) load() float64 {
	if a.parts.tutor.Overloaded() {
		return 1
	}
	return a.gateway.Load()
}
