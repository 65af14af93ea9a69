package gateway

import "time"

// FlowLimits bound what one client may send; zero fields mean the protocol's values.
type FlowLimits struct {
	// AudioRate is how fast the mic may come, in seconds of audio per second (1.25),
	// and AudioBurst how many seconds may come at once (10).
	AudioRate, AudioBurst float64
	// EventRate is how many events may come per second (50), and EventBurst how many
	// at once (200).
	EventRate, EventBurst float64
	// AnswerRate and AnswerBurst (10, 16) bound, within that, the events that are answered
	// one by one, mistakes among them. The lane to the client is short and never waits, so
	// that a burst of answers would look like a client that does not read.
	AnswerRate, AnswerBurst float64
	// ReplyRate and ReplyBurst (1, 4) bound, within those again, the events that make the
	// tutor think and speak, which vendors are paid for.
	ReplyRate, ReplyBurst float64
	// Sustained is how long a client may go on sending too much (10 s).
	Sustained time.Duration
}

func (l FlowLimits) withDefaults() FlowLimits {
	set := func(v *float64, otherwise float64) {
		if *v <= 0 {
			*v = otherwise
		}
	}
	set(&l.AudioRate, 1.25)
	set(&l.AudioBurst, 10)
	set(&l.EventRate, 50)
	set(&l.EventBurst, 200)
	set(&l.AnswerRate, 10)
	set(&l.AnswerBurst, 16)
	set(&l.ReplyRate, 1)
	set(&l.ReplyBurst, 4)
	if l.Sustained <= 0 {
		l.Sustained = 10 * time.Second
	}
	return l
}

// calm is how long nothing may have been dropped for a flood to count as over.
const calm = 2 * time.Second

// verdict is what a meter thinks of what has come.
type verdict uint8

const (
	// flowPass: within the limits.
	flowPass verdict = iota
	// flowDropFirst: drop it, and tell the client, for a flood begins here.
	flowDropFirst
	// flowDrop: drop it; the client has been told.
	flowDrop
	// flowFlood: the client has sent too much for too long; end it.
	flowFlood
)

// meter is a token bucket that remembers how long it has been overrun. Owned by one
// goroutine; it allocates nothing.
type meter struct {
	// Static after newMeter.
	rate, burst float64 // units per second, and at most
	sustained   time.Duration

	tokens   float64
	filled   time.Time // when tokens was computed
	since    time.Time // when the flood began; zero when there is none
	lastDrop time.Time
}

func newMeter(rate, burst float64, sustained time.Duration) meter {
	return meter{rate: rate, burst: burst, sustained: sustained, tokens: burst, filled: time.Now()}
}

// take asks for units now.
func (m *meter) take(units float64) verdict {
	now := time.Now()
	m.tokens = min(m.burst, m.tokens+m.rate*now.Sub(m.filled).Seconds())
	m.filled = now
	if m.tokens >= units {
		m.tokens -= units
		return flowPass
	}
	if m.since.IsZero() || now.Sub(m.lastDrop) > calm {
		m.since, m.lastDrop = now, now
		return flowDropFirst
	}
	m.lastDrop = now
	if now.Sub(m.since) >= m.sustained {
		return flowFlood
	}
	return flowDrop
}

// overrun says whether something was dropped a moment ago, so that the client knows.
func (m *meter) overrun() bool { return !m.since.IsZero() && time.Since(m.lastDrop) <= calm }

// shortestFrame is what a mic frame costs at least, so that a flood of empty or tiny
// frames is one too.
const shortestFrame = 0.010

// frameSeconds is how many seconds of audio bytes of PCM16 mono at rate are; rate 0
// stands for an encoding whose length is not known from its size.
func frameSeconds(bytes, rate int) float64 {
	if rate <= 0 {
		return 2 * shortestFrame
	}
	return max(shortestFrame, float64(bytes)/2/float64(rate))
}
