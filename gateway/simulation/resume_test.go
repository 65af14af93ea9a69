package simulation

import (
	"context"
	"errors"

	"kalami/gateway/line"
	"kalami/session"
	"kalami/session/learn"
)

// resume takes a session up again for a client that came with a token: as it is, when it
// is in this node's memory, else from what another node has left.
func (n *node) resume(sock *socket, id, token string, first session.ResumeSession) {
	if sock.isOver() { // it gave up while the node was frozen, and is elsewhere
		return
	}
	if s := n.find(id); s != nil {
		done := s.line.Returning()
		over := n.goOn(sock, s, token, first)
		done()
		if over {
			return
		}
		s.stop(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
		<-s.done
	}
	next := n.world.newToken(id)
	c, history, outcome, err := n.store.resume(context.Background(),
		learn.Resumption{ConversationID: id, Hash: token, Next: next, Window: window})
	if err != nil || outcome != learn.ResumeGranted {
		refuse(sock, outcome, err)
		return
	}
	n.restore(sock, c, history, token, next, first)
	n.world.notify(id, c.Epoch)
}

// refuse says why a token is of no use.
func refuse(sock *socket, outcome learn.ResumeOutcome, err error) {
	switch {
	case err != nil:
		sock.Abort() // it comes again
	case outcome == learn.ResumeForeign:
		sock.Close(&session.End{Reason: session.EndForbidden, Code: session.ResumeInvalid})
	default:
		sock.Close(&session.End{Reason: session.EndResumeExpired, Code: session.ResumeExpired})
	}
}

// goOn is a warm return; false when the session is not to be had any more.
func (n *node) goOn(sock *socket, s *held, token string, first session.ResumeSession) bool {
	next := n.world.newToken(s.id)
	_, history, outcome, err := n.store.resume(context.Background(),
		learn.Resumption{ConversationID: s.id, Hash: token, Next: next, Epoch: s.epoch, Window: window})
	switch {
	case err == nil && outcome == learn.ResumeMoved:
		return false
	case err != nil || outcome != learn.ResumeGranted:
		refuse(sock, outcome, err)
		return true
	}
	s.mu.Lock()
	s.known, s.offered = token, next
	s.mu.Unlock()
	r := line.Return{LastSeq: first.LastSeq, Playback: first.Playback, Resume: resumeOf(next)}
	err = s.line.Attach(sock, r)
	if errors.Is(err, line.ErrHole) || errors.Is(err, line.ErrFuture) {
		r.Restart = &session.Restarted{Items: items(history)}
		err = s.line.Attach(sock, r)
	}
	if err != nil { // its line is over: another one is begun, with the same token
		<-s.done
		c, history, outcome, err := n.store.resume(context.Background(), learn.Resumption{ConversationID: s.id, Hash: token,
			Next: next, Window: window})
		if err != nil || outcome != learn.ResumeGranted {
			refuse(sock, outcome, err)
			return true
		}
		n.restore(sock, c, history, token, next, first)
		n.world.notify(s.id, c.Epoch)
	}
	return true
}

// restore begins a session where another has left off.
func (n *node) restore(sock *socket, c learn.Conversation, history []learn.Message, known, next string, first session.ResumeSession) {
	s := &held{id: c.ID, epoch: c.Epoch, name: first.SessionID, known: known, offered: next, done: make(chan struct{})}
	p := session.Params{Config: n.config(s), Conversation: c, History: history, Resume: resumeOf(next), Returning: true, Playback: first.Playback}
	o := line.Options{Next: first.LastSeq + 1, Input: c.Input, Config: p.Config}
	r := line.Return{LastSeq: first.LastSeq, Playback: first.Playback, Resume: resumeOf(next), Cold: true}
	st, ok := n.world.mirror.find(c.ID)
	if ok && !st.Overtaken(c.Epoch, first.LastSeq) {
		p.Handover = handover(st, history)
	}
	if p.Handover != nil {
		p.Playback = p.Handover.Counted(first.Playback, first.LastSeq)
		r.Playback = p.Playback
		r.Response, o.Config = p.Handover.GoOn(p.Playback), p.Handover.Config
		o.Input = p.Handover.NextInput(o.Input)
		end := max(st.Last(), st.StateSeq)
		o.Next, o.Replay = end+1, st.Events
	}
	s.line = line.New(n.options(s, o))
	if p.Handover == nil || s.line.Covers(first.LastSeq) != nil {
		o.Next, o.Replay = max(first.LastSeq+1, o.Next), nil
		s.line = line.New(n.options(s, o))
		r.Restart = &session.Restarted{Items: items(history), Response: r.Response}
	} else {
		s.line.Republish()
	}
	if err := s.line.Attach(sock, r); err != nil {
		sock.Abort()
	}
	n.run(s, p)
}

// items are the stored entries as a client is shown them.
func items(history []learn.Message) []session.Item {
	out := []session.Item{}
	for _, m := range history {
		role, kind := "user", "input_audio"
		if m.Speaker == learn.SpeakerTutor {
			role, kind = "assistant", "output_audio"
		}
		out = append(out, session.Item{ID: m.UtteranceID, Role: role, Status: "completed", Content: []session.ItemContent{{Type: kind, Text: m.Heard}}})
	}
	return out
}
