package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"kalami/session/learn"
)

// connected returns both ends of a connection over the loopback.
func connected(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return server.(*net.TCPConn), client.(*net.TCPConn)
}

// hangsUp closes the other end, and waits until the kernel has brought the news.
func hangsUp(t *testing.T, here, there net.Conn) {
	t.Helper()
	_ = there.Close()
	for late := time.Now().Add(10 * time.Second); !hungUp(here); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it is not seen that the other end has closed")
		}
	}
}

// That a client has closed is seen behind what it has sent before and nobody has read, and
// what it has sent is still there.
func TestHungUp(t *testing.T) {
	here, there := connected(t)
	if hungUp(here) {
		t.Error("a connection that is open")
	}
	if _, err := there.Write([]byte("resume")); err != nil {
		t.Fatal(err)
	}
	over := tls.Server(here, nil)
	if hungUp(here) || hungUp(over) {
		t.Error("a connection on which something waits to be read")
	}
	hangsUp(t, here, there)
	if !hungUp(over) {
		t.Error("not seen through TLS")
	}
	said := make([]byte, 6)
	if _, err := here.Read(said); err != nil || string(said) != "resume" {
		t.Errorf("read %q, %v: something was taken from the connection", said, err)
	}
	_ = here.Close()
	if !hungUp(here) {
		t.Error("a connection that was closed at this end")
	}

	here, there = connected(t)
	_ = there.SetLinger(0)
	hangsUp(t, here, there) // with a reset

	one, other := net.Pipe()
	_ = other.Close()
	if hungUp(one) {
		t.Error("a connection without a socket cannot be asked")
	}
	_ = one.Close()
}

// A node that was stopped reads what a client has said that has left long ago: it asks the
// database for nothing, and so takes the conversation from nobody, neither cold nor for a
// session of its own.
func TestResumeOfOneWhoHasLeft(t *testing.T) {
	const conversation = "0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"
	db := &rows{outcome: learn.ResumeOver}
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.Resumptions = db })
	here, there := connected(t)
	r := &returning{v: h.sockets, conn: &voiceConn{raw: here}, conversation: conversation, hash: "hash"}
	if err := r.takeUp(t.Context()); !errors.Is(err, errOver) || db.resumed != 1 {
		t.Errorf("while the client is there: %v, %d questions", err, db.resumed)
	}
	hangsUp(t, here, there)
	if err := r.takeUp(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("taken up: %v", err)
	}
	if _, err := r.known(context.Background(), holding{epoch: 3}); !errors.Is(err, errAway) {
		t.Errorf("known here: %v", err)
	}
	if db.resumed != 1 {
		t.Errorf("the database was asked %d times more", db.resumed-1)
	}
}
