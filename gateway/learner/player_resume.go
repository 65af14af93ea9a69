package learner

import (
	"time"

	"kalami/session"
)

// What a player does when its socket is lost and the session is taken up again.

// state is how far the player is: with the reply that plays, or else with the last one.
// It is nil when there was none.
func (p *player) state() *session.PlaybackState {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil {
		s := p.now.position(time.Now()).PlaybackState
		return &s
	}
	if p.last.ResponseID == "" {
		return nil
	}
	s := p.last
	return &s
}

// lastWord is the last report about the end of a reply, nil for none: saying it again
// changes nothing.
func (p *player) lastWord() session.Control {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.word
}

// goOn follows what the server says about the reply under way. void tells that what it
// says nothing about does not count any more.
func (p *player) goOn(r *session.ResumedResponse, void bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.now
	switch {
	case n == nil:
	case r == nil || r.ID != n.id:
		if void {
			n.render(time.Now())
			p.now = nil
		}
	case r.Action == session.ActionTruncated:
		n.cut(time.Duration(r.AudioEndMS) * time.Millisecond)
		n.complete = true
		p.arm()
	case r.Action == session.ActionRespeak:
		n.cut(time.Duration(r.AudioEndMS) * time.Millisecond)
	}
}

// restart forgets all about a session that is lost.
func (p *player) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.floor, p.now, p.last, p.word = -1, nil, session.PlaybackState{}, nil
}

// starved is for how long a reply that is not whole has had nothing to play.
func (p *player) starved() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.now
	if n == nil || !n.started || n.paused || n.complete {
		return 0
	}
	return max(0, time.Since(n.began)-(n.received()-n.base))
}
