package web_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// frame is a microphone frame as it came over the wire.
type frame struct {
	kind, flags byte
	stream      uint16
	seq, pos    uint32
	samples     int
	rms         float64
}

// line is one voice connection seen from the server. Scripts call its methods from
// one goroutine; another one reads.
type line struct {
	t    *testing.T
	conn *websocket.Conn
	done chan struct{} // closed when the reader has ended

	begun time.Time
	seq   int

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something has come
	frames  []frame
	events  []map[string]any
	closed  bool
}

func newLine(t *testing.T, conn *websocket.Conn) *line {
	l := &line{t: t, conn: conn, done: make(chan struct{}), changed: make(chan struct{}), begun: time.Now()}
	go l.read()
	return l
}

// join closes the connection and waits for the reader.
func (l *line) join() {
	_ = l.conn.CloseNow() // it may have been closed by the script
	<-l.done
}

func (l *line) read() {
	defer close(l.done)
	for {
		kind, data, err := l.conn.Read(context.Background())
		l.mu.Lock()
		switch {
		case err != nil:
			l.closed = true
		case kind == websocket.MessageBinary:
			l.frames = append(l.frames, parseFrame(data))
		default:
			var ev map[string]any
			if json.Unmarshal(data, &ev) == nil {
				l.events = append(l.events, ev)
			}
		}
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func parseFrame(data []byte) frame {
	if len(data) < 12 {
		return frame{}
	}
	be := binary.BigEndian
	f := frame{
		kind: data[0], flags: data[1], stream: be.Uint16(data[2:]), seq: be.Uint32(data[4:]), pos: be.Uint32(data[8:]),
		samples: (len(data) - 12) / 2,
	}
	var sum float64
	for i := range f.samples {
		v := float64(int16(binary.LittleEndian.Uint16(data[12+2*i:]))) / 32768
		sum += v * v
	}
	if f.samples > 0 {
		f.rms = math.Sqrt(sum / float64(f.samples))
	}
	return f
}

// until waits until ok, called under the lock, holds; false when the connection ends or time is up.
func (l *line) until(ok func() bool) bool {
	deadline := time.After(wait)
	for {
		l.mu.Lock()
		holds, ended, changed := ok(), l.closed, l.changed
		l.mu.Unlock()
		if holds || ended {
			return holds
		}
		select {
		case <-changed:
		case <-deadline:
			return false
		}
	}
}

// expect waits for a client's event that has not been expected before and returns it.
func (l *line) expect(kind string) map[string]any {
	var found map[string]any
	ok := l.until(func() bool {
		for i, ev := range l.events {
			if ev["type"] == kind {
				found = ev
				l.events = append(l.events[:i:i], l.events[i+1:]...)
				return true
			}
		}
		return false
	})
	if !ok {
		l.t.Errorf("the page sent no %s", kind)
	}
	return found
}

// send sends one event with the head that every event has.
func (l *line) send(kind string, fields map[string]any) {
	l.seq++
	ev := map[string]any{"type": kind, "seq": l.seq, "event_id": "evt", "ts": time.Since(l.begun).Milliseconds()}
	for k, v := range fields {
		ev[k] = v
	}
	b, err := json.Marshal(ev)
	if err != nil {
		l.t.Errorf("encode %s: %v", kind, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_ = l.conn.Write(ctx, websocket.MessageText, b) // a closed page shows in what is expected next
}

// sound sends one 100 ms frame of the tutor's voice, a 220 Hz tone at 24 kHz.
func (l *line) sound(stream uint16, n int, last bool) {
	const samples = 2400
	b := make([]byte, 12, 12+2*samples)
	b[0] = 0x12
	if last {
		b[1] = 2
	}
	binary.BigEndian.PutUint16(b[2:], stream)
	binary.BigEndian.PutUint32(b[4:], uint32(n))
	binary.BigEndian.PutUint32(b[8:], uint32(n*samples))
	for i := range samples {
		at := float64(n*samples+i) / 24000
		loud := 6000 * (0.6 + 0.4*math.Sin(2*math.Pi*3*at))
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(loud*math.Sin(2*math.Pi*220*at))))
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_ = l.conn.Write(ctx, websocket.MessageBinary, b)
}

// received returns the microphone frames so far.
func (l *line) received() []frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames[:len(l.frames):len(l.frames)]
}

// heardSpeech waits until the microphone has been loud for a while, from now on.
func (l *line) heardSpeech() bool {
	from := len(l.received())
	return l.until(func() bool {
		loud := 0
		for _, f := range l.frames[from:] {
			if f.rms > 0.02 {
				loud++
			}
		}
		return loud >= 6
	})
}

// heardSilence waits until the newest frames are quiet.
func (l *line) heardSilence() bool {
	return l.until(func() bool {
		if len(l.frames) < 10 {
			return false
		}
		for _, f := range l.frames[len(l.frames)-10:] {
			if f.rms > 0.01 {
				return false
			}
		}
		return true
	})
}

// cue is a word between a script and its test; neither waits for it for ever.
type cue chan struct{}

// fromScript passes the word on to the test, unless the connection has ended.
func (c cue) fromScript(l *line) {
	select {
	case c <- struct{}{}:
	case <-l.done:
	}
}

// inScript waits for the word of the test, or for the connection's end.
func (c cue) inScript(l *line) {
	select {
	case <-c:
	case <-l.done:
	}
}

// fromTest passes the word on to the script.
func (c cue) fromTest(t *testing.T) {
	t.Helper()
	select {
	case c <- struct{}{}:
	case <-time.After(wait):
		t.Fatal("the script did not wait for its cue")
	}
}

// inTest waits for the word of the script.
func (c cue) inTest(t *testing.T) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(wait):
		t.Fatal("the script did not come to its cue")
	}
}
