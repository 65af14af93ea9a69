package line

import (
	"bytes"
	"fmt"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
)

// answer prepares the socket of a client that has come back: its link, and the encoded
// session.resumed, which has no number of its own, or nil after session.restarted, which
// is an event like any other. mu is held.
func (l *Line) answer(sock Socket, r Return) (*link, []byte, error) {
	ts := time.Since(l.started).Milliseconds()
	if r.Restart == nil {
		l.frames.acknowledged(r.LastSeq)
	}
	if r.Cold && r.Response != nil && r.Response.Action == session.ActionRespeak {
		l.respoken = *r.Response
	}
	if !r.Cold {
		r.Response, r.Playback = l.underWay(r)
	}
	if r.Playback != nil {
		l.frames.played(r.Playback)
		l.frames.reportedAt = time.Now() // a report, too: what is kept is sent before there is more
		l.frames.heardAt = l.frames.reportedAt
	}
	l.frames.told()
	l.frames.unsent() // on the new socket
	if r.Restart != nil {
		seq := l.events.next
		ev := *r.Restart
		ev.Resume, ev.Input = r.Resume, l.mic.position()
		if ev.Session.ID == "" {
			ev.Session = l.config
		}
		if ev.Response == nil {
			ev.Response = r.Response
		}
		if err := l.keep(ts, ev, false); err != nil {
			return nil, nil, err
		}
		k := newLink(l, sock, seq)
		k.playback = r.Playback
		return k, nil, nil
	}
	ev := session.Resumed{SessionID: l.opts.SessionID, Resume: r.Resume, Warm: !r.Cold, ReplayedFrom: r.LastSeq + 1,
		Input: l.mic.position(), Response: r.Response}
	if err := l.renewTokens(r); err != nil {
		return nil, nil, err
	}
	hello, err := wire.AppendEvent(nil, session.Head{Seq: r.LastSeq, EventID: head(r.LastSeq, 0).EventID, TS: ts}, ev)
	if err != nil {
		return nil, nil, fmt.Errorf("line: resumed: %w", err)
	}
	l.offers.told(r.LastSeq + 1)
	k := newLink(l, sock, r.LastSeq+1)
	k.playback = r.Playback
	return k, hello, nil
}

// underWay says how the response goes on, and what the client has played of what counts;
// nil for none, and for one that was stopped, since the events tell of that. A client that
// was to go on in another stream, and does not know it, is told again: the answer to its
// last return was lost.
func (l *Line) underWay(r Return) (*session.ResumedResponse, *session.PlaybackState) {
	if id := l.respoken.ID; id != "" && (l.response.id != id || r.LastSeq < l.response.seq) {
		again, played := l.respoken.Again(r.Playback)
		return &again, played
	}
	return l.continued(), r.Playback
}

// continued is the response of which the client has the beginning.
func (l *Line) continued() *session.ResumedResponse {
	if l.response.id == "" || l.response.cleared {
		return nil
	}
	return &session.ResumedResponse{ID: l.response.id, ItemID: l.response.itemID, Action: session.ActionContinue}
}

// renewTokens puts the newest token into the events that are replayed: the client takes
// the last one that it reads.
func (l *Line) renewTokens(r Return) error {
	for i := range l.events.entries {
		e := &l.events.entries[i]
		if !e.token || l.events.first+uint64(i) <= r.LastSeq {
			continue
		}
		data, err := withToken(e.data, r.Resume)
		if err != nil {
			return fmt.Errorf("line: replay: %w", err)
		}
		l.events.bytes += len(data) - len(e.data)
		e.data = data
	}
	return nil
}

// carriesToken says whether an encoded event holds a resume token.
func carriesToken(data []byte) bool {
	for _, ev := range []session.Event{session.ResumptionUpdate{}, session.Created{}, session.Restarted{}} {
		if bytes.HasPrefix(data, []byte(`{"type":"`+ev.EventType()+`"`)) {
			return true
		}
	}
	return false
}

// withToken is an encoded event with another token.
func withToken(data []byte, token session.Resume) ([]byte, error) {
	h, ev, err := wire.DecodeEvent(data)
	if err != nil {
		return nil, err
	}
	switch e := ev.(type) {
	case session.ResumptionUpdate:
		e.Resume = token
		ev = e
	case session.Created:
		e.Resume = token
		ev = e
	case session.Restarted:
		e.Resume = token
		ev = e
	}
	return wire.AppendEvent(nil, h, ev)
}
