package gateway

import (
	"context"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/line"
	"kalami/gateway/wire"
	"kalami/session"
)

// BenchmarkResume comes back to a session that lives, over loopback: how long it takes
// from the dialling to the answer and to the first event that is replayed.
func BenchmarkResume(b *testing.B) {
	s := newCutServer(b.Errorf)
	web := httptest.NewServer(s)
	defer web.Close()
	url := "ws" + strings.TrimPrefix(web.URL, "http") + voicePath
	dial := func() *websocket.Conn {
		ws, _, err := websocket.Dial(b.Context(), url, &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol}})
		if err != nil {
			b.Fatal(err)
		}
		return ws
	}
	text := func(ws *websocket.Conn) session.Event {
		for {
			kind, data, err := ws.Read(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if kind == websocket.MessageText {
				_, ev, err := wire.DecodeEvent(data)
				if err != nil {
					b.Fatal(err)
				}
				return ev
			}
		}
	}
	first := dial()
	for range 3 { // session.created, and the tutor begins
		text(first)
	}
	_ = first.CloseNow()
	hello, err := wire.EncodeControl("", session.ResumeSession{SessionID: "vs_cut", LastSeq: 1})
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		ws := dial()
		if err := ws.Write(b.Context(), websocket.MessageText, hello); err != nil {
			b.Fatal(err)
		}
		if _, ok := text(ws).(session.Resumed); !ok {
			b.Fatal("not resumed")
		}
		text(ws)
		took = append(took, time.Since(began))
		_ = ws.CloseNow()
	}
	s.line.Abort()
	<-s.ended
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// Clients that never read lose their sockets with a code after which they come back, and
// each line keeps no more than its bounds; one that reads gets everything meanwhile.
// KALAMI_READERS says how many there are besides the usual twenty.
func TestSlowConsumers(t *testing.T) {
	n := fromEnv(t, "KALAMI_READERS", 20)
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	open := func() (*line.Line, *phone) {
		l := line.New(line.Options{SessionID: "vs_1", WriteTimeout: 500 * time.Millisecond})
		c, p := dialPair(t, FlowLimits{}, nil)
		if tcp, ok := c.raw.(interface{ SetWriteBuffer(int) error }); ok {
			_ = tcp.SetWriteBuffer(8 << 10)
		}
		if err := l.Open(c); err != nil {
			t.Fatal(err)
		}
		return l, p
	}
	type slow struct {
		line *line.Line
		lost chan *session.End
	}
	healthy, reads := open()
	lines := make([]slow, n)
	for i := range lines {
		l, _ := open()
		lines[i] = slow{l, make(chan *session.End, 1)}
	}
	before := memory()
	var tasks sync.WaitGroup
	pcm := make([]byte, 4800)
	for _, s := range lines {
		tasks.Go(func() { // UPLINK
			var in session.Input
			for s.line.Read(&in) == nil {
				if d, ok := in.Control.(session.Detached); ok {
					s.lost <- d.Cause
				}
			}
		})
		tasks.Go(func() { // DOWNLINK
			for seq := uint32(0); s.line.Attached(); seq++ {
				_ = s.line.WriteEvent(session.Head{}, session.Ping{})
				_ = s.line.WriteAudio(session.Frame{Stream: 1, Seq: seq, Pos: seq * 2400, Audio: pcm})
			}
		})
	}
	const events = 200
	tasks.Go(func() {
		for range events {
			_ = healthy.WriteEvent(session.Head{}, session.Ping{})
			time.Sleep(time.Millisecond)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for got := range uint64(events) {
		if h, _ := reads.event(); h.Seq != got+1 {
			t.Fatalf("the client that reads got event %d as number %d", h.Seq, got+1)
		}
	}
	for i, s := range lines {
		select {
		case end := <-s.lost:
			if row, _ := closeCodeOf(end.Reason); end.Reason != session.EndSlowConsumer || row.client != actionResume {
				t.Errorf("client %d lost its socket by %v", i, end)
			}
		case <-ctx.Done():
			t.Fatalf("client %d still has its socket", i)
		}
	}
	t.Logf("%d clients that do not read: %.1f MiB more", n, float64(int64(memory())-int64(before))/(1<<20))
	for _, s := range lines {
		s.line.Close(&session.End{Reason: session.EndGone})
	}
	healthy.Close(&session.End{Reason: session.EndGone})
	tasks.Wait()
}
