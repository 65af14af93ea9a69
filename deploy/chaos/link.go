package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// weather is how bad the network is for a connection.
type weather struct {
	// cutWithin cuts the connection after so many bytes at the most, drawn for each
	// direction; 0 for never.
	cutWithin int
	// delay is how long everything is under way, in each direction.
	delay time.Duration
	// rate is how many bytes pass in a second, in each direction; 0 for all.
	rate int
	// stalls is how often, from 0 to 1, a piece is held for half a second.
	stalls float64
}

const (
	stallTime = 500 * time.Millisecond
	// inFlight is how many pieces of pieceBytes may be under way in a direction.
	inFlight   = 64
	pieceBytes = 2 << 10
)

// link is one connection through the bad network.
type link struct {
	client, server net.Conn
	node           string // the server's address
	weather        weather
	once           sync.Once
	// hole: nothing passes any more, and nobody is told.
	hole atomic.Bool
	// deaf: nothing passes to the client any more.
	deaf atomic.Bool
	// voice: the client has asked for a voice socket.
	voice atomic.Bool
	// cuts counts connections that were cut at their byte.
	cuts *atomic.Int64

	mu  sync.Mutex
	rng *rand.Rand
}

func newLink(client, server net.Conn, node string, w weather, rng *rand.Rand, cuts *atomic.Int64) *link {
	return &link{client: client, server: server, node: node, weather: w, rng: rng, cuts: cuts}
}

// cut ends the connection in both directions at once, as a network does that is gone:
// without a word.
func (l *link) cut() {
	l.once.Do(func() {
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // what is not sent is lost, and the peer is told so
			}
			_ = c.Close()
		}
	})
}

// carry moves bytes both ways until the connection ends.
func (l *link) carry() {
	var both sync.WaitGroup
	both.Go(func() { l.direction(l.server, l.client, nil) })
	both.Go(func() { l.direction(l.client, l.server, &l.deaf) })
	both.Wait()
	l.once.Do(func() { _, _ = l.client.Close(), l.server.Close() }) // it ended by itself: what is under way arrives
}

// piece is some bytes under way.
type piece struct {
	data []byte
	due  time.Time
}

// direction carries what comes from one side to the other. stopped, when it is not nil,
// says that nothing is read any more.
func (l *link) direction(to, from net.Conn, stopped *atomic.Bool) {
	budget := l.budget()
	way := make(chan piece, inFlight)
	var arrive sync.WaitGroup
	arrive.Go(func() { l.deliver(to, way) })
	var err error
	for err == nil && budget != 0 {
		for stopped != nil && stopped.Load() && !l.over() {
			time.Sleep(10 * time.Millisecond)
		}
		var n int
		data := make([]byte, pieceBytes)
		n, err = from.Read(data)
		if from == l.client && bytes.HasPrefix(data[:n], []byte("GET /v1/voice")) {
			l.voice.Store(true)
		}
		if budget >= 0 {
			n = min(n, budget)
			budget -= n
		}
		if n > 0 && !l.hole.Load() {
			way <- piece{data[:n], time.Now().Add(l.weather.delay + l.stall())}
		}
	}
	close(way)
	arrive.Wait()
	if half, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
		_ = half.CloseWrite() // the other direction may have something to say
		return
	}
	if budget == 0 {
		l.cuts.Add(1)
	}
	l.cut()
}

// deliver writes what arrives, when it does.
func (l *link) deliver(to net.Conn, way <-chan piece) {
	for p := range way {
		time.Sleep(time.Until(p.due))
		if l.weather.rate > 0 {
			time.Sleep(time.Duration(len(p.data)) * time.Second / time.Duration(l.weather.rate))
		}
		if _, err := to.Write(p.data); err != nil {
			l.cut()
		}
	}
}

// over says whether the connection has been cut.
func (l *link) over() bool {
	_, err := l.server.Write(nil)
	return err != nil
}

// budget is after how many bytes a direction is cut; -1 for never.
func (l *link) budget() int {
	if l.weather.cutWithin <= 0 {
		return -1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return 1 + l.rng.IntN(l.weather.cutWithin)
}

// stall is for how long the next piece is held.
func (l *link) stall() time.Duration {
	if l.weather.stalls <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rng.Float64() >= l.weather.stalls {
		return 0
	}
	return stallTime
}
