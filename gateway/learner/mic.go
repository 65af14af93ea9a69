package learner

import (
	"context"
	"sync"
	"time"
)

// Mic is an open microphone: it sends without a pause, what [Mic.Say] was given and
// silence between. Use [Call.Mic] or [Lesson.Mic].
type Mic struct {
	line outlet
	rate int

	mu    sync.Mutex // guards what follows
	queue []utterance
}

// outlet is where a microphone's frames go; one goroutine speaks through it.
type outlet interface {
	// mouth is the ear that follows what is said, and place where the next frame begins.
	mouth() *ear
	place() uint32
	writeFrame(pcm []byte) error
}

// utterance is something to say; done is closed when its last frame was sent.
type utterance struct {
	pcm  []byte
	done chan struct{}
	// end is how many samples from here its speech ends, where known says that somebody knows.
	end   int
	known bool
}

// Mic returns a microphone for PCM16 at rate hertz. Run sends it; nothing else may
// send frames of this call then.
func (c *Call) Mic(rate int) *Mic { return &Mic{line: c, rate: rate} }

// Say queues speech after what is queued already. The channel is closed when it is sent.
// Where it ends, for [session.PlaybackStarted]'s latency, is told by its energy.
func (m *Mic) Say(pcm []byte) <-chan struct{} { return m.say(utterance{pcm: pcm}) }

// SayUntil is Say for a recording whose speech is known to end after so many samples,
// which energy tells less exactly, and not at all among noise.
func (m *Mic) SayUntil(pcm []byte, end int) <-chan struct{} {
	return m.say(utterance{pcm: pcm, end: end, known: true})
}

func (m *Mic) say(u utterance) <-chan struct{} {
	u.done = make(chan struct{})
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
		due := start.Add(time.Duration(n) * FrameTime)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		// A microphone takes its samples by its own clock, however late the frame is sent.
		if end, known := m.fill(frame); known {
			m.line.mouth().told(frame, m.line.place(), due, end)
		} else {
			m.line.mouth().hear(frame, m.line.place(), due)
		}
		if err := m.line.writeFrame(frame); err != nil {
			return err
		}
	}
}

// fill takes a frame's worth of speech off the queue; the rest is silence. If it is
// known where the speech ends, it says how many samples into the frame that is.
func (m *Mic) fill(frame []byte) (end int, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(frame)
	if len(m.queue) == 0 {
		return 0, false
	}
	u := &m.queue[0]
	end, known = max(0, u.end), u.known
	u.end -= len(frame) / 2
	u.pcm = u.pcm[copy(frame, u.pcm):]
	if len(u.pcm) == 0 {
		close(u.done)
		m.queue = m.queue[1:]
		end = min(end, len(frame)/2) // it cannot end later than there is sound
	}
	return end, known
}
