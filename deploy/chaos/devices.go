package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// The closes that these clients are told of.
const (
	closeForbidden  = 4403
	closeSuperseded = 4409
)

// devices takes a lesson up on a second device while the first is still there, which is told
// that it is superseded and does not come back; and then, when the second device has used
// the next token, shows the one before once more, as a thief would, who is sent away: rows
// 3 and 4.
func devices() fault {
	return fault{name: "devices", rows: []int{3, 4}, takes: 4 * time.Second, short: 1, long: 100, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for i := range times {
			if err := t.twoDevices(ctx, fmt.Sprintf("device-%03d", i+1)); err != nil {
				return 0, err
			}
		}
		return times, nil
	}}
}

func (t *trial) twoDevices(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, turnWait)
	defer cancel()
	first, err := newTalker(t.histories, name, rand.New(rand.NewPCG(t.rng.Uint64(), 4)))
	if err != nil {
		return err
	}
	defer first.file.Close()
	account, err := first.open(ctx, t.front.url())
	if err != nil {
		return err
	}
	defer account.Close()
	ran := make(chan error, 1)
	go func() { ran <- first.lesson.Run(ctx) }() // joined below
	first.until(ctx, ran, "the greeting", func(n *notes) bool { return n.done > 0 })

	first.notes.mu.Lock()
	token, seq, id := first.notes.tokens[len(first.notes.tokens)-1], first.notes.seq, first.notes.session
	first.notes.mu.Unlock()
	second, next, err := t.returnAs(ctx, token, id, seq)
	if err != nil {
		t.wrongf("%s: the second device does not come in: %v", name, err)
	}
	if err := <-ran; websocket.CloseStatus(err) != closeSuperseded {
		t.wrongf("%s: the first device ended with %v, and not because the second took over", name, err)
	}
	if second == nil {
		return nil
	}
	_ = second.CloseNow()
	if second, _, err = t.returnAs(ctx, next, id, seq); err != nil {
		t.wrongf("%s: the second device does not come back: %v", name, err)
		return nil
	}
	defer func() { _ = second.CloseNow() }()
	if thief, _, err := t.returnAs(ctx, token, id, seq); websocket.CloseStatus(err) != closeForbidden {
		t.wrongf("%s: a token that was used came in with %v", name, err)
		if thief != nil {
			_ = thief.CloseNow()
		}
	}
	return say(ctx, second, session.EndSession{})
}

// returnAs takes a session up by a token, and returns the next one.
func (t *trial) returnAs(ctx context.Context, token, id string, seq uint64) (*websocket.Conn, string, error) {
	conn, _, err := websocket.Dial(ctx, strings.Replace(t.front.url(), "http", "ws", 1)+"/v1/voice", &websocket.DialOptions{ //nolint:bodyclose // the socket's own
		Subprotocols: []string{wire.Subprotocol, wire.TokenPrefix + token},
	})
	if err != nil {
		return nil, "", err
	}
	conn.SetReadLimit(1 << 20)
	err = say(ctx, conn, session.ResumeSession{SessionID: id, LastSeq: seq, Input: session.InputPos{Stream: 1}})
	for err == nil {
		var kind websocket.MessageType
		var data []byte
		if kind, data, err = conn.Read(ctx); err != nil || kind != websocket.MessageText {
			continue
		}
		var ev session.Event
		if _, ev, err = wire.DecodeEvent(data); err != nil {
			continue
		}
		switch e := ev.(type) {
		case session.Resumed:
			return conn, e.Resume.Token, nil
		case session.Restarted:
			return conn, e.Resume.Token, nil
		}
	}
	_ = conn.CloseNow()
	return nil, "", err
}

// say sends an event.
func say(ctx context.Context, conn *websocket.Conn, ctl session.Control) error {
	data, err := wire.EncodeControl("", ctl)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, data)
}
