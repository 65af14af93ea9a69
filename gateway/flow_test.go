package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

const (
	frameLength = 20 * time.Millisecond
	frameBytes  = 640 // 20 ms at 16 kHz
)

func audioMeter() meter {
	l := FlowLimits{}.withDefaults()
	return newMeter(l.AudioRate, l.AudioBurst, l.Sustained)
}

// stream sends one frame every so often for a while and counts the verdicts.
func stream(m *meter, every, length time.Duration) map[verdict]int {
	got := map[verdict]int{}
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(every) {
		got[m.take(frameSeconds(frameBytes, 16000))]++
	}
	return got
}

// A learner who speaks in real time loses nothing, however long, and neither does one
// whose clock runs a fifth too fast.
func TestRealTimeIsNeverDropped(t *testing.T) {
	for name, every := range map[string]time.Duration{"real time": frameLength, "a fifth too fast": frameLength * 5 / 6} {
		synctest.Test(t, func(t *testing.T) {
			m := audioMeter()
			if got := stream(&m, every, 30*time.Minute); len(got) != 1 || got[flowPass] == 0 {
				t.Errorf("%s: %v", name, got)
			}
		})
	}
}

// After a dead spot a client sends what its ring held, all at once.
func TestABurstPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := audioMeter()
		for i := range 500 { // 10 s
			if v := m.take(frameSeconds(frameBytes, 16000)); v != flowPass {
				t.Fatalf("frame %d of the burst: %v", i, v)
			}
		}
		if v := m.take(frameSeconds(frameBytes, 16000)); v != flowDropFirst {
			t.Fatalf("the frame after the burst: %v", v)
		}
		time.Sleep(time.Minute)
		if got := stream(&m, frameLength, time.Minute); got[flowPass] != 3000 || len(got) != 1 {
			t.Errorf("after a minute's rest: %v", got)
		}
	})
}

// Twice real time: the bucket empties, the surplus is dropped, the client is told once,
// and ten seconds later it is ended.
func TestSustainedFloodEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := audioMeter()
		var told, ended time.Time
		for start := time.Now(); ended.IsZero(); time.Sleep(frameLength / 2) {
			switch m.take(frameSeconds(frameBytes, 16000)) {
			case flowDropFirst:
				if !told.IsZero() {
					t.Fatal("told twice about one flood")
				}
				told = time.Now()
			case flowFlood:
				ended = time.Now()
			case flowPass, flowDrop:
			}
			if time.Since(start) > time.Hour {
				t.Fatal("never ended")
			}
		}
		if d := ended.Sub(told); d < 10*time.Second || d > 11*time.Second {
			t.Errorf("ended %v after the first drop", d)
		}
	})
}

// A flood that stops in time is forgiven; the next one is a new one.
func TestAFloodMayStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := audioMeter()
		for range 3 {
			got := stream(&m, frameLength/20, 5*time.Second)
			if got[flowDropFirst] != 1 || got[flowFlood] != 0 || got[flowDrop] == 0 {
				t.Errorf("%v", got)
			}
			time.Sleep(30 * time.Second)
		}
	})
}

// Frames without audio cost something too, or they would be free of any limit.
func TestEmptyFramesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := audioMeter()
		passed := 0
		for range 100_000 {
			if m.take(frameSeconds(0, 16000)) == flowPass {
				passed++
			}
		}
		if passed > 1001 {
			t.Errorf("%d empty frames passed at once", passed)
		}
	})
}

func TestEventRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := FlowLimits{}.withDefaults()
		m := newMeter(l.EventRate, l.EventBurst, l.Sustained)
		count := func(n int, every time.Duration) (passed int) {
			for range n {
				if m.take(1) == flowPass {
					passed++
				}
				time.Sleep(every)
			}
			return passed
		}
		if got := count(300, 0); got != 200 {
			t.Errorf("%d of a burst of 300 passed, want 200", got)
		}
		time.Sleep(time.Minute)
		if got := count(1000, 20*time.Millisecond); got != 1000 {
			t.Errorf("%d of 1000 at 50 per second passed", got)
		}
	})
}

func TestFrameSeconds(t *testing.T) {
	for _, tt := range []struct {
		bytes, rate int
		want        float64
	}{
		{32_000, 16_000, 1}, {9_600, 48_000, 0.1}, {640, 16_000, 0.02}, {320, 8_000, 0.02},
		{0, 16_000, shortestFrame}, {2, 16_000, shortestFrame}, {120, 0, 2 * shortestFrame},
	} {
		if got := frameSeconds(tt.bytes, tt.rate); got != tt.want {
			t.Errorf("%d bytes at %d Hz: %v s, want %v", tt.bytes, tt.rate, got, tt.want)
		}
	}
}
