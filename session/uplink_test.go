package session

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newTestUplink returns an UPLINK for enqueue alone, and the count of what it drops.
func newTestUplink() (*uplink, *atomic.Int64) {
	dropped := &atomic.Int64{}
	return &uplink{lanes: newLanes(), dropped: dropped}, dropped
}

// numberedFrame is a frame that can be told from others.
func numberedFrame(n int) micFrame {
	return micFrame{buf: framePool.Get().(*[]byte), seq: uint32(n)}
}

// A network that was stuck for some seconds delivers their audio all at once. None of
// it is lost, however late LISTEN is woken.
func TestBurstOfAudioIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, dropped := newTestUplink()
		const burst = 10 * micQueue
		var got []uint32
		done := make(chan struct{})
		go func() {
			defer close(done)
			for len(got) < burst {
				time.Sleep(micWait / 2) // a machine with much to do
				for range micQueue {
					got = append(got, (<-u.lanes.mic).seq)
				}
			}
		}()
		for n := range burst {
			u.enqueue(t.Context(), numberedFrame(n), micWait)
		}
		<-done
		for i, seq := range got {
			if seq != uint32(i) {
				t.Fatalf("frame %d came as number %d", seq, i)
			}
		}
		if n := dropped.Load(); n != 0 {
			t.Errorf("%d frames were dropped", n)
		}
	})
}

// While the recogniser itself is stuck, fresh audio beats old: the newest second is
// kept, and UPLINK, which reads the learner's orders too, is held up once alone.
func TestStuckRecogniserLosesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, dropped := newTestUplink()
		const sent = 3 * micQueue
		began := time.Now()
		for n := range sent {
			u.enqueue(t.Context(), numberedFrame(n), micWait)
		}
		if held := time.Since(began); held != micWait {
			t.Errorf("UPLINK was held up for %v, want %v", held, micWait)
		}
		if n := dropped.Load(); n != sent-micQueue {
			t.Errorf("%d frames were dropped, want %d", n, sent-micQueue)
		}
		for want := uint32(sent - micQueue); want < sent; want++ {
			if f := <-u.lanes.mic; f.seq != want {
				t.Fatalf("frame %d came, want %d", f.seq, want)
			}
		}
		u.enqueue(t.Context(), numberedFrame(sent), micWait) // there is room again
		if u.waited {
			t.Error("UPLINK would not wait for a LISTEN that works again")
		}
	})
}

// When the voice falls silent, also between two words, the recogniser is given at once
// what waits to be joined; not while it goes on, and not for what follows.
func TestSilenceIsPassedOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		defer k.finish()
		k.greeted()
		h := k.hears.last()
		h.mu.Lock()
		before := h.samples
		h.mu.Unlock()
		k.mic(400, true)
		k.mic(200, false)
		k.mic(200, true)
		k.mic(1000, false)
		h.mu.Lock()
		defer h.mu.Unlock()
		var at []int
		for _, samples := range h.flushed {
			at = append(at, (samples-before)/16)
		}
		if want := []int{420, 820}; !slices.Equal(at, want) {
			t.Errorf("flushed after %v ms of audio, want %v", at, want)
		}
	})
}
