package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// echo is a node that says back what it is told, until the test is over.
func echo(t *testing.T) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with its connection, which the front cuts
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return &backend{address: l.Addr().String(), ready: func(context.Context) error { return nil }, up: true}
}

// before starts a front before nodes.
func before(t *testing.T, nodes ...*backend) *front {
	t.Helper()
	f, err := startFront(context.Background(), nodes, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// dial opens a connection through a front.
func dial(t *testing.T, f *front) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// In good weather everything arrives, and who has said all hears the answer out.
func TestFrontCarries(t *testing.T) {
	conn, said := dial(t, before(t, echo(t))), bytes.Repeat([]byte("word "), 20_000)
	go func() {
		_, _ = conn.Write(said)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	heard, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(heard, said) {
		t.Errorf("%d of %d bytes came back: %v", len(heard), len(said), err)
	}
}

// A connection is cut at its byte: not one more comes, and it is counted.
func TestFrontCuts(t *testing.T) {
	f := before(t, echo(t))
	f.turn(weather{cutWithin: 1000})
	for range 20 {
		conn := dial(t, f)
		go func() { _, _ = conn.Write(make([]byte, 5000)) }()
		heard, err := io.ReadAll(conn)
		if len(heard) > 1000 || err == nil {
			t.Errorf("%d bytes came back, and then %v", len(heard), err)
		}
	}
	if n := f.cuts.Load(); n < 20 {
		t.Errorf("%d cuts were counted", n)
	}
	f.turn(weather{})
	conn := dial(t, f)
	if _, err := conn.Write(make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 5000)); err != nil {
		t.Errorf("in good weather: %v", err)
	}
}

// In a hole both sides believe that the other is there.
func TestFrontSwallows(t *testing.T) {
	f := before(t, echo(t))
	conn := dial(t, f)
	pass := func() error {
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, make([]byte, 1))
		return err
	}
	if err := pass(); err != nil {
		t.Fatal(err)
	}
	f.each(func(l *link) { l.hole.Store(true) })
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	var timeout net.Error
	if err := pass(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("nothing was to come: %v", err)
	}
}

// A slow line takes its time and loses nothing.
func TestFrontIsSlow(t *testing.T) {
	f := before(t, echo(t))
	f.turn(weather{delay: 50 * time.Millisecond, rate: 100 << 10})
	conn, began := dial(t, f), time.Now()
	if _, err := conn.Write(make([]byte, 10<<10)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 10<<10)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("it took %v; 100 ms on the way and 100 ms for the bytes are the least", took)
	}
}

// New connections go to nodes that are ready; from one that hangs its connections are
// taken, and one that is only leaving keeps them.
func TestFrontMindsHealth(t *testing.T) {
	leaving, hanging, well := echo(t), echo(t), echo(t)
	var ill atomic.Bool
	leaving.ready = func(context.Context) error {
		if ill.Load() {
			return errors.New("draining")
		}
		return nil
	}
	hanging.ready = func(ctx context.Context) error {
		if !ill.Load() {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	f := before(t, leaving, hanging, well)
	byNode := map[string]net.Conn{}
	for len(byNode) < 3 {
		conn := dial(t, f)
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		f.each(func(l *link) {
			if l.client.RemoteAddr().String() == conn.LocalAddr().String() {
				byNode[l.node] = conn
			}
		})
	}
	ill.Store(true)
	if _, err := byNode[hanging.address].Read(make([]byte, 1)); err == nil {
		t.Error("the connection to a node that hangs was kept")
	}
	for range 10 {
		conn := dial(t, f)
		_, _ = conn.Write([]byte("x"))
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Errorf("a new connection: %v", err)
		}
		f.each(func(l *link) {
			if l.client.RemoteAddr().String() == conn.LocalAddr().String() && l.node != well.address {
				t.Errorf("a new connection went to a node that is not ready")
			}
		})
	}
	if _, err := byNode[leaving.address].Write([]byte("x")); err != nil {
		t.Errorf("to the node that is leaving: %v", err)
	}
}
