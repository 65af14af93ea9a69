package learner

import (
	"context"
	"sync"
	"time"
)

// Mic is an open microphone: it sends without a pause, what [Mic.Say] was given and
// silence between. Use [Call.Mic].
type Mic struct {
	call *Call
	rate int

	mu    sync.Mutex // guards what follows
	queue []utterance
}

// utterance is something to say; done is closed when its last frame was sent.
type utterance struct {
	pcm  []byte
	done chan struct{}
}

// Mic returns a microphone for PCM16 at rate hertz. Run sends it; nothing else may
// send frames of this call then.
func (c *Call) Mic(rate int) *Mic { return &Mic{call: c, rate: rate} }

// Say queues speech after what is queued already. The channel is closed when it is sent.
func (m *Mic) Say(pcm []byte) <-chan struct{} {
	u := utterance{pcm: pcm, done: make(chan struct{})}
	m.mu.Lock()
	m.queue = append(m.queue, u)
	m.mu.Unlock()
	return u.done
}

// Run sends frames of [FrameTime], each when it is due by a schedule that starts now
// and never drifts, until ctx ends (nil) or the connection is lost.
func (m *Mic) Run(ctx context.Context) error {
	frame := make([]byte, m.rate*int(FrameTime/time.Millisecond)/1000*2)
	start, timer := time.Now(), time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		timer.Reset(time.Until(start.Add(time.Duration(n) * FrameTime)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		m.fill(frame)
		if err := m.call.Frame(frame); err != nil {
			return err
		}
	}
}

// fill takes a frame's worth of speech off the queue; the rest is silence.
func (m *Mic) fill(frame []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(frame)
	if len(m.queue) == 0 {
		return
	}
	u := &m.queue[0]
	u.pcm = u.pcm[copy(frame, u.pcm):]
	if len(u.pcm) == 0 {
		close(u.done)
		m.queue = m.queue[1:]
	}
}
