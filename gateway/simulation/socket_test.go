package simulation

import (
	"bytes"
	"io"
	"sync"
	"time"

	"kalami/session"
)

// socket is a WebSocket in memory. It implements line.Socket for the node; the client
// takes packets and gives inputs.
type socket struct {
	node *node
	in   chan session.Input
	out  chan packet
	over chan struct{} // cut, or closed for good
	once sync.Once
	wake chan struct{} // Read is interrupted
	woke sync.Once
}

// packet is what a node has written: an event, a frame, or the close.
type packet struct {
	text  []byte
	frame session.Frame
	end   *session.End
}

func newSocket(n *node) *socket {
	return &socket{node: n, in: make(chan session.Input, 1024), out: make(chan packet, 256), over: make(chan struct{}), wake: make(chan struct{})}
}

func (s *socket) Read(in *session.Input) error {
	if !s.node.awake() {
		return &session.End{Reason: session.EndGone}
	}
	select {
	case <-s.wake:
		return &session.End{Reason: session.EndGone}
	case <-s.over:
		return &session.End{Reason: session.EndGone}
	case *in = <-s.in:
		if !s.node.awake() {
			return &session.End{Reason: session.EndGone}
		}
		return nil
	}
}

func (s *socket) write(p packet) error {
	if !s.node.awake() {
		return io.ErrClosedPipe
	}
	select {
	case <-s.over:
		return io.ErrClosedPipe
	default:
	}
	select {
	case s.out <- p:
		return nil
	case <-s.over:
		return io.ErrClosedPipe
	}
}

func (s *socket) WriteText(data []byte) error { return s.write(packet{text: bytes.Clone(data)}) }
func (s *socket) WriteAudio(f session.Frame) error {
	f.Audio = bytes.Clone(f.Audio)
	return s.write(packet{frame: f})
}
func (s *socket) Negotiated(session.Config) {}
func (s *socket) Interrupt()                { s.woke.Do(func() { close(s.wake) }) }

// Close says how it ends, if the client reads that within two seconds.
func (s *socket) Close(e *session.End) {
	late := time.NewTimer(2 * time.Second)
	defer late.Stop()
	select {
	case s.out <- packet{end: e}:
	case <-s.over:
	case <-late.C:
		s.Abort()
	}
	s.Interrupt()
}

// Abort cuts it: what is under way is lost.
func (s *socket) Abort() { s.once.Do(func() { close(s.over) }) }

func (s *socket) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}
