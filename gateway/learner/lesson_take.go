package learner

import (
	"fmt"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// take is told everything that comes from a socket.
func (l *Lesson) take(k *link, kind websocket.MessageType, data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kind == websocket.MessageBinary {
		return l.audio(k, data)
	}
	h, ev, err := wire.DecodeEvent(data)
	if err != nil {
		return fmt.Errorf("learner: the server's event: %w", err)
	}
	switch e := ev.(type) {
	case session.Created:
		l.created(k, h, e)
	case session.Resumed:
		l.resumed(k, h, e)
	case session.Restarted:
		l.restarted(k, h, e)
	default:
		return l.event(k, h, ev)
	}
	return nil
}

// audio takes one frame of the tutor's; l.mu is held.
func (l *Lesson) audio(k *link, data []byte) error {
	if l.cur.Load() != k {
		return nil // another socket has taken its place
	}
	var f session.Frame
	if err := wire.ParseHeader(data, wire.Tutor, &f); err != nil {
		return err
	}
	late := l.player.audio(f)
	if l.handler.Audio != nil {
		l.handler.Audio(f, late)
	}
	return nil
}

// event takes one event after a socket's first; l.mu is held.
func (l *Lesson) event(k *link, h session.Head, ev session.Event) error {
	if l.cur.Load() != k {
		if failure, ok := ev.(session.Failure); ok {
			k.refused = &failure.Error
		}
		return nil
	}
	if l.holding {
		return l.hold(h, ev)
	}
	switch {
	case h.Seq <= l.seq: // it came over the old socket while this one was opened
		return nil
	case h.Seq > l.seq+1:
		return fmt.Errorf("%w: %d follows %d", errHole, h.Seq, l.seq)
	}
	l.seq = h.Seq
	switch e := ev.(type) {
	case session.Ping:
		_ = k.send(session.Pong{ID: e.ID, TS: h.TS}) // the end of the link says it too
	case session.Updated:
		l.ear.tune(e.Session.Audio.Input.Format.Rate)
	case session.InputAck:
		l.ring.trim(e.Input.Stream, e.Input.Seq+1)
	case session.ResumptionUpdate:
		l.offered(e.Resume)
	case session.GoAway:
		l.goAway(e)
	}
	l.typed.confirm(ev)
	l.player.event(ev)
	if l.handler.Event != nil {
		l.handler.Event(h, ev)
	}
	if _, offered := ev.(session.ResumptionUpdate); offered || l.seq >= l.acked+ackEvents {
		l.acknowledge(k)
	}
	return nil
}

// hold keeps an event of the last socket while the next one is opened: another node may
// number its own events like those that it does not know of. l.mu is held.
func (l *Lesson) hold(h session.Head, ev session.Event) error {
	if len(l.held) == heldMost {
		return fmt.Errorf("%w: too many came while the next socket was opened", errHole)
	}
	l.held = append(l.held, heldEvent{h, ev})
	return nil
}

// letGo takes what was held of k, because the next socket did not come to be.
func (l *Lesson) letGo(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held
	l.holding, l.held = false, nil
	for _, e := range held {
		if err := l.event(k, e.head, e.event); err != nil {
			k.fail(err)
			return
		}
	}
}

// goAway passes the server's wish to move on to Run, unless one is known already.
func (l *Lesson) goAway(e session.GoAway) {
	if !e.Reconnect.Resume {
		return // it says when the session ends
	}
	select {
	case l.move <- e.Reconnect:
	default:
	}
}

// heed is how long to wait before moving; the address to move to is noted.
func (l *Lesson) heed(to session.Reconnecting) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if to.URL != "" {
		l.url = to.URL
	}
	return time.Duration(to.AfterMS) * time.Millisecond
}

// offered notes with which token to come back; l.mu is held.
func (l *Lesson) offered(r session.Resume) {
	if r.Token != "" {
		l.token = r.Token
	}
	l.window = time.Duration(r.WindowMS) * time.Millisecond
}

// created begins a session, the first or another one; l.mu is held.
func (l *Lesson) created(k *link, h session.Head, e session.Created) {
	l.ring.restart()
	l.player.restart()
	l.token, l.sessionID, l.conversation = "", e.Session.ID, e.Session.ConversationID
	l.offered(e.Resume)
	if e.Heartbeat.TimeoutMS > 0 {
		l.timeout = time.Duration(e.Heartbeat.TimeoutMS) * time.Millisecond
	}
	l.ear.tune(e.Session.Audio.Input.Format.Rate)
	first := l.upAt.IsZero()
	l.attached(k, h, e, session.InputPos{}, Return{Fresh: true}, first)
}

// resumed goes on with the session; l.mu is held.
func (l *Lesson) resumed(k *link, h session.Head, e session.Resumed) {
	l.offered(e.Resume)
	l.player.goOn(e.Response, false)
	h.Seq = max(h.Seq, l.seq) // what the old socket brought meanwhile comes twice
	l.attached(k, h, e, e.Input, Return{Warm: e.Warm}, false)
}

// restarted goes on with what the server knows; l.mu is held.
func (l *Lesson) restarted(k *link, h session.Head, e session.Restarted) {
	l.sessionID, l.conversation = e.Session.ID, e.Session.ConversationID
	l.offered(e.Resume)
	l.ear.tune(e.Session.Audio.Input.Format.Rate)
	l.player.goOn(e.Response, true)
	l.attached(k, h, e, e.Input, Return{Restarted: true}, false)
}

// attached makes a socket the lesson's own, whose server wants the mic frames from in
// on; l.mu is held.
func (l *Lesson) attached(k *link, h session.Head, ev session.Event, in session.InputPos, how Return, first bool) {
	now := time.Now()
	l.seq, l.holding, l.held = h.Seq, false, nil
	l.cur.Store(k)
	at := l.ring.from(in.Stream, in.NextSeq)
	how.Planned, how.Attempts, how.Again = l.back.Planned, l.back.Attempts, int(at.again-at.next)
	if !how.Planned && !first {
		how.Away = now.Sub(l.lostAt)
	}
	l.upAt, l.back = now, Return{}
	if l.handler.Event != nil {
		l.handler.Event(h, ev)
	}
	if l.handler.Back != nil && !first {
		l.handler.Back(how)
	}
	l.acknowledge(k)
	if last := l.player.lastWord(); last != nil {
		_ = k.send(last) // it may have been lost with the socket before
	}
	l.typed.confirm(ev)
	for _, item := range l.typed.waiting() {
		_ = k.send(item)
	}
	if l.ending.Load() {
		_ = k.send(session.EndSession{})
	}
	select {
	case <-k.up: // the server greets twice; the first one counts
	default:
		k.start <- at
		close(k.up)
	}
}

// acknowledge says how far the events have come; l.mu is held.
func (l *Lesson) acknowledge(k *link) {
	l.acked, l.ackedAt = l.seq, time.Now()
	_ = k.send(session.AckEvents{Seq: l.seq}) // the end of the link says it too
}

// look looks after the socket: it acknowledges what is due, and gives up one on which
// nothing comes any more.
func (l *Lesson) look(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seq > l.acked && time.Since(l.ackedAt) >= ackEvery {
		l.acknowledge(k)
	}
	if quiet := k.silence(); quiet > l.timeout || quiet > deadAir && l.player.starved() > deadAir {
		k.fail(errSilent)
	}
}

// resumption is the first event on a socket that is opened with the resume token.
func (l *Lesson) resumption() session.ResumeSession {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holding = l.cur.Load() != nil
	return session.ResumeSession{SessionID: l.sessionID, LastSeq: l.seq, Playback: l.player.state(),
		Input: l.ring.at()}
}

// expect notes how the next socket comes to be.
func (l *Lesson) expect(r Return) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.back = r
}

// resumable says whether the token is good still.
func (l *Lesson) resumable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.token != "" && time.Since(l.lostAt) < l.window
}

// lasted is how long the last socket was there.
func (l *Lesson) lasted() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lostAt.Sub(l.upAt)
}
