package line

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// WriteEvent implements [session.Conn]. Of the head the time alone counts: the number is
// the line's. The event is kept in any case, and written if there is a socket; that the
// socket fails is not the session's business. An error is of an event that cannot be
// encoded, or the end of a line that is over.
func (l *Line) WriteEvent(h session.Head, ev session.Event) error {
	return l.say(h.TS, ev, decided(ev))
}

// decided says whether an event is a step of the conversation, which a state that does not
// know of it contradicts. The others tell only of what was decided before, or of the
// moment.
func decided(ev session.Event) bool {
	switch ev := ev.(type) {
	case session.CaptionDelta: // of a clip: places of what follows are others then
		return ev.Filler
	case session.Created, session.Updated, session.SpeechStarted, session.Committed, session.TranscriptCompleted,
		session.TranscriptFailed, session.ItemAdded, session.ItemDone, session.ResponseCreated, session.ClearAudio,
		session.Truncated, session.ResponseDone, session.Ended:
		return true
	}
	return false
}

// say numbers an event, keeps it and writes it.
func (l *Line) say(ts int64, ev session.Event, decided bool) error {
	l.mu.Lock()
	if l.over != nil {
		l.mu.Unlock()
		return l.over
	}
	if ack, ok := ev.(session.InputAck); ok && l.acked(ack.Input) {
		l.mu.Unlock()
		return nil
	}
	err := l.keep(ts, ev, decided)
	k, changed := l.link, l.changed(!decided)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if changed != nil {
		changed(l)
	}
	if k != nil {
		k.flush()
	}
	return nil
}

// acked says whether frames beyond p are acknowledged: by the node before, which a session
// that hears some of them again does not know. It is not taken back; mu is held.
func (l *Line) acked(p session.InputPos) bool {
	return p.Stream < l.ack.Stream || p.Stream == l.ack.Stream && p.Seq < l.ack.Seq
}

// lastAck is the last acknowledgement of frames among events.
func lastAck(events []learn.LiveEvent) session.InputPos {
	prefix := []byte(`{"type":"` + session.InputAck{}.EventType() + `"`)
	for _, e := range slices.Backward(events) {
		if !bytes.HasPrefix(e.Data, prefix) {
			continue
		}
		if _, ev, err := wire.DecodeEvent(e.Data); err == nil {
			if ack, ok := ev.(session.InputAck); ok {
				return ack.Input
			}
		}
	}
	return session.InputPos{}
}

// keep numbers, encodes and keeps an event; mu is held.
func (l *Line) keep(ts int64, ev session.Event, decided bool) error {
	h := head(l.events.next, ts)
	out, err := wire.AppendEvent(l.scratch[:0], h, ev)
	if err != nil {
		return fmt.Errorf("line: event: %w", err)
	}
	l.scratch = out
	now := time.Now()
	l.started = now.Add(-time.Duration(ts) * time.Millisecond)
	l.note(h, ev)
	l.events.add(entry{data: bytes.Clone(out), at: now, decided: decided, token: carriesToken(out)})
	l.offer(now)
	return nil
}

// head is that of the event with a number.
func head(seq uint64, ts int64) session.Head {
	var id [20]byte
	return session.Head{Seq: seq, EventID: string(strconv.AppendUint(append(id[:0], "evt_"...), seq, 36)), TS: ts}
}

// note learns from an event what the line must know; mu is held.
func (l *Line) note(h session.Head, ev session.Event) {
	switch ev := ev.(type) {
	case session.Created:
		l.configured(ev.Session)
		l.offers.told(h.Seq)
	case session.Restarted:
		l.configured(ev.Session)
		l.offers.told(h.Seq)
	case session.ResumptionUpdate:
		l.offers.told(h.Seq)
	case session.Updated:
		l.configured(ev.Session)
	case session.InputAck:
		l.ack = ev.Input
	case session.ResponseCreated:
		l.response = response{id: ev.Response.ID, itemID: ev.Response.ItemID, stream: ev.Stream,
			rate: ev.Audio.Format.Rate, seq: h.Seq}
		if l.respoken.ID != "" && l.respoken.ID == ev.Response.ID {
			l.response.fromMS = l.respoken.AudioEndMS
		}
		l.frames.announce(l.response)
	case session.ClearAudio:
		l.response.cleared = l.response.cleared || ev.ResponseID == l.response.id
		l.settled(ev.ResponseID)
		l.frames.forget(ev.Stream)
	case session.ResponseDone:
		if ev.Response.ID == l.response.id {
			l.response = response{}
		}
		l.settled(ev.Response.ID)
	}
}

// settled forgets that a response was to be spoken again; mu is held.
func (l *Line) settled(id string) {
	if l.respoken.ID == id {
		l.respoken = session.ResumedResponse{}
	}
}

// configured takes over what was negotiated; mu is held.
func (l *Line) configured(c session.Config) {
	l.config = c
	if l.link != nil {
		l.link.sock.Negotiated(c)
	}
}

// WriteAudio implements [session.Conn]. The frame is kept until the client is known to
// have it, and written if there is a socket.
func (l *Line) WriteAudio(f session.Frame) error {
	if len(f.Audio) > wire.MaxTutorAudioBytes {
		return fmt.Errorf("line: audio: %d bytes, at most %d", len(f.Audio), wire.MaxTutorAudioBytes)
	}
	l.mu.Lock()
	if l.over != nil {
		l.mu.Unlock()
		return l.over
	}
	l.frames.add(f)
	k := l.link
	l.mu.Unlock()
	if k != nil {
		k.audio(f)
	}
	return nil
}

// Full says that there is no room to keep another frame besides those that the client is
// not known to have. Who writes asks before each frame, and waits: what is written all the
// same takes the place of the oldest. It does not block.
func (l *Line) Full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames.full()
}
