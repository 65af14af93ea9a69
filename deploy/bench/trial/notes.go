package trial

import (
	"bytes"
	"context"
	"sync"
	"time"

	"kalami/gateway/learner"
	"kalami/session"
)

// notes keeps what is told in a call.
type notes struct {
	changed chan struct{} // holds a token when something was noted since it was taken

	mu      sync.Mutex // guards what follows
	kept    Result
	streams map[uint16]*draft // the tutor's replies by the number of their audio
	order   []*draft
	last    time.Time // when the learner was last heard, or last spoke
}

// draft is a reply that may still grow.
type draft struct {
	Reply
	id   string
	over bool
	pcm  bytes.Buffer
}

func newNotes() *notes {
	return &notes{changed: make(chan struct{}, 1), streams: map[uint16]*draft{}}
}

// event takes an event of the call.
func (n *notes) event(_ session.Head, ev session.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.signal()
	switch e := ev.(type) {
	case session.Created:
		if td := e.Session.Audio.Input.TurnDetection; td != nil {
			n.kept.PatienceMS = td.PatienceMS
		}
	case session.SpeechStarted, session.SpeechStopped, session.TranscriptDelta:
		n.last = time.Now()
	case session.NotUnderstood:
		n.kept.NotUnderstood++
	case session.TranscriptCompleted:
		n.last = time.Now()
		n.kept.Turns = append(n.kept.Turns, e.Transcript)
	case session.Failure:
		n.kept.Errors = append(n.kept.Errors, string(e.Error.Code))
	case session.Warning:
		n.kept.Warnings = append(n.kept.Warnings, string(e.Code))
	default:
		n.reply(ev)
	}
}

// reply takes an event about the tutor's side.
func (n *notes) reply(ev session.Event) {
	switch e := ev.(type) {
	case session.ResponseCreated:
		d := &draft{id: e.Response.ID, Reply: Reply{Turn: len(n.kept.Turns), Audio: learner.Recording{Rate: e.Audio.Format.Rate}}}
		n.streams[e.Stream], n.order = d, append(n.order, d)
	case session.CaptionDelta:
		if d := n.find(e.ResponseID); d != nil {
			d.Caption += e.Delta
		}
	case session.CaptionDone:
		if d := n.find(e.ResponseID); d != nil {
			d.Caption = e.Transcript
		}
	case session.ClearAudio:
		if d := n.find(e.ResponseID); d != nil {
			d.Cut = true
		}
	case session.ResponseDone:
		if d := n.find(e.Response.ID); d != nil {
			d.over, d.Latency = true, e.Latency
		}
	}
}

func (n *notes) find(id string) *draft {
	for _, d := range n.order {
		if d.id == id {
			return d
		}
	}
	return nil
}

// audio takes a frame of the tutor's.
func (n *notes) audio(f session.Frame, late bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := n.streams[f.Stream]; d != nil && !late {
		d.pcm.Write(f.Audio)
	}
}

// spoken says that the recording's last sound was sent.
func (n *notes) spoken(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = at
}

// signal wakes await.
func (n *notes) signal() {
	select {
	case n.changed <- struct{}{}:
	default: // it has not yet seen the last change
	}
}

// await waits until a condition holds, which says how long it may take at the
// least until it can; 0 for now. It returns the cause when ctx ends.
func (n *notes) await(ctx context.Context, condition func(now time.Time) time.Duration) error {
	for {
		n.mu.Lock()
		wait := condition(time.Now())
		n.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-n.changed:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// greeted holds when the tutor's first words were heard.
func (n *notes) greeted(time.Time) time.Duration {
	if len(n.order) == 0 {
		return Quiet
	}
	return n.answered()
}

// over holds when every turn was answered and nobody has spoken for Quiet.
func (n *notes) over(now time.Time) time.Duration {
	return max(n.answered(), n.last.Add(Quiet).Sub(now))
}

// answered holds when no reply is under way.
func (n *notes) answered() time.Duration {
	if d := n.order[len(n.order)-1]; !d.over || d.Turn < len(n.kept.Turns) {
		return Quiet // an event tells sooner
	}
	return 0
}

// result is what has been noted.
func (n *notes) result() *Result {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.kept
	for _, d := range n.order {
		reply := d.Reply
		reply.Audio.PCM = d.pcm.Bytes()
		r.Replies = append(r.Replies, reply)
	}
	return &r
}
