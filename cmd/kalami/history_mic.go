package main

import (
	"sync"

	"kalami/session"
	"kalami/session/verify"
)

// takenMic writes down which frames of the microphone a session has taken, many at a time,
// but always before the client is told that they are not needed any more.
type takenMic struct {
	to           verify.Recorder
	conversation string

	mu   sync.Mutex // frames are read by one goroutine, acknowledgements written by another
	open verify.MicTaken
}

// takenMost is how many frames are written down together.
const takenMost = 250

// take notes a frame.
func (m *takenMic) take(f session.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Stream != m.open.Stream || f.Seq != m.open.Next || m.open.Next-m.open.From >= takenMost {
		m.write()
		m.open = verify.MicTaken{Stream: f.Stream, From: f.Seq, Next: f.Seq}
	}
	m.open.Next++
}

func (m *takenMic) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write()
}

// write writes what is noted; m.mu is held.
func (m *takenMic) write() {
	if m.open.Next > m.open.From {
		m.to.Record(m.conversation, m.open)
	}
	m.open.From = m.open.Next
}

// read notes what was read.
func (m *takenMic) read(in *session.Input, err error) error {
	if err == nil && in.Control == nil {
		m.take(in.Frame)
	}
	return err
}

// written is told of events before they are written.
func (m *takenMic) written(ev session.Event) {
	if _, ok := ev.(session.InputAck); ok {
		m.flush()
	}
}

// historyConn is a connection whose microphone is written down.
type historyConn struct {
	session.Conn
	mic *takenMic
}

// Read implements [session.Conn].
func (c historyConn) Read(in *session.Input) error { return c.mic.read(in, c.Conn.Read(in)) }

// WriteEvent implements [session.Conn].
func (c historyConn) WriteEvent(h session.Head, ev session.Event) error {
	c.mic.written(ev)
	return c.Conn.WriteEvent(h, ev)
}

// historyLine is the same for a connection that outlives its sockets.
type historyLine struct {
	session.Line
	mic *takenMic
}

// Read implements [session.Conn].
func (l historyLine) Read(in *session.Input) error { return l.mic.read(in, l.Line.Read(in)) }

// WriteEvent implements [session.Conn].
func (l historyLine) WriteEvent(h session.Head, ev session.Event) error {
	l.mic.written(ev)
	return l.Line.WriteEvent(h, ev)
}
