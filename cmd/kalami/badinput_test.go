package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway"
	"kalami/gateway/learner"
	"kalami/gateway/token"
	"kalami/gateway/wire"
	"kalami/providers/simulate"
	"kalami/session"
)

// stranger is a learner's raw socket, for what no proper client sends.
type stranger struct {
	t  *testing.T
	ws *websocket.Conn
}

// newcomer signs a guest up and returns how it buys tickets, and the socket's address.
func newcomer(t *testing.T, h *house) (buy func() string, url string) {
	t.Helper()
	account, err := learner.Guest(t.Context(), h.url(), "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Close)
	profile, err := account.Profile(t.Context(), "en", "B2")
	if err != nil {
		t.Fatal(err)
	}
	return func() string {
		ticket, _, err := account.Ticket(t.Context(), learner.Wish{ProfileID: profile})
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}, "ws" + strings.TrimPrefix(h.url(), "http") + "/v1/voice"
}

// knock opens a socket with these subprotocols and headers (in pairs).
func knock(t *testing.T, url string, protocols []string, header ...string) (*stranger, *http.Response, error) {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	ws, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: h})
	if err != nil {
		return nil, res, err
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(1 << 20)
	return &stranger{t, ws}, res, nil
}

// withTicket opens a socket with a ticket.
func withTicket(t *testing.T, url, ticket string) *stranger {
	t.Helper()
	s, _, err := knock(t, url, []string{wire.Subprotocol, wire.TokenPrefix + ticket})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stranger) send(kind websocket.MessageType, data []byte) {
	s.t.Helper()
	if err := s.ws.Write(s.t.Context(), kind, data); err != nil {
		s.t.Fatal(err)
	}
}

// next reads the next event of one type, passing everything else by.
func next[E session.Event](s *stranger) (e E) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		kind, data, err := s.ws.Read(ctx)
		if err != nil {
			s.t.Fatalf("%s did not come: %v", e.EventType(), err)
		}
		if kind != websocket.MessageText {
			continue
		}
		_, ev, err := wire.DecodeEvent(data)
		if err != nil {
			s.t.Fatal(err)
		}
		if wanted, ok := ev.(E); ok {
			return wanted
		}
	}
}

// closed reads to the end and checks how the server closes.
func (s *stranger) closed(code websocket.StatusCode, reason session.Code) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var err error
	for err == nil {
		_, _, err = s.ws.Read(ctx)
	}
	end, ok := errors.AsType[websocket.CloseError](err)
	if !ok || end.Code != code || end.Reason != string(reason) {
		s.t.Errorf("closed with %v, want %d %s", err, code, reason)
	}
}

// Tickets that are nobody's, used up or too old are told so, with a reason that a page
// can read.
func TestTicketsRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	buy, url := newcomer(t, h)
	reused := buy()
	next[session.Created](withTicket(t, url, reused))
	expired := buy()
	age(t, h, expired)
	for name, tt := range map[string]struct {
		ticket string
		code   session.Code
	}{
		"forged":           {token.NewTicket(), session.TicketInvalid},
		"reused":           {reused, session.TicketInvalid},
		"expired":          {expired, session.TicketExpired},
		"no ticket at all": {"letmein", session.TicketInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s := withTicket(t, url, tt.ticket)
			if no := next[session.Failure](s).Error; no.Code != tt.code || !no.Fatal || no.Message == "" {
				t.Errorf("told %+v", no)
			}
			s.closed(4401, tt.code)
		})
	}
}

// age makes a ticket older than its minute.
func age(t *testing.T, h *house, ticket string) {
	t.Helper()
	key := "ticket:" + token.Hash(ticket)
	value, ok, err := h.live.TakeOnce(t.Context(), key)
	var kept gateway.Ticket
	if err != nil || !ok || json.Unmarshal(value, &kept) != nil {
		t.Fatalf("the ticket is not kept: %v", err)
	}
	kept.ExpiresAt = kept.ExpiresAt.Add(-time.Minute)
	if value, err = json.Marshal(kept); err == nil {
		err = h.live.PutOnce(t.Context(), key, value, time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Who may not even knock is refused by a status.
func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	buy, url := newcomer(t, h)
	for _, c := range []struct {
		name      string
		protocols []string
		header    []string
		status    int
	}{
		{"foreign page", []string{wire.Subprotocol, wire.TokenPrefix + buy()}, []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"no credential, no origin", []string{wire.Subprotocol}, nil, http.StatusUnauthorized},
		{"forged access token", []string{wire.Subprotocol}, []string{"Authorization", "Bearer x.y.z"}, http.StatusUnauthorized},
		{"no protocol of ours", []string{"chat"}, nil, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, res, err := knock(t, url, c.protocols, c.header...)
			if err == nil || res == nil || res.StatusCode != c.status {
				t.Errorf("answered %v (%v), want %d", res, err, c.status)
			}
		})
	}
}

// What cannot be understood is answered with the field that is wrong, and the
// conversation goes on.
func TestNonsenseIsSurvived(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	buy, url := newcomer(t, h)
	s := withTicket(t, url, buy())
	next[session.Created](s)
	frame := func(samples int, extra ...byte) string {
		return string(append(wire.AppendHeader(nil, wire.Mic, &session.Frame{Stream: 1}), append(make([]byte, 2*samples), extra...)...))
	}
	for _, c := range []struct {
		kind websocket.MessageType
		sent string
		want session.Problem
	}{
		{websocket.MessageText, `hello?`, session.Problem{Code: session.InvalidJSON}},
		{websocket.MessageText, `[1]`, session.Problem{Code: session.InvalidEvent}},
		{websocket.MessageText, `{"type":"tutor.dance","event_id":"e1"}`, session.Problem{Code: session.UnknownEvent, Param: "type", EventID: "e1"}},
		{websocket.MessageText, `{"type":"tutor.hold","ms":"long","event_id":"e2"}`, session.Problem{Code: session.InvalidEvent, Param: "ms", EventID: "e2"}},
		{websocket.MessageText, `{"type":"tutor.set","patience_ms":1}`, session.Problem{Code: session.InvalidEvent, Param: "patience_ms"}},
		{websocket.MessageText, `{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_text","text":7}]}}`,
			session.Problem{Code: session.InvalidEvent, Param: "item.content.text"}},
		{websocket.MessageText, `{"type":"session.update","session":{"audio":{"input":{"format":{"type":"audio/opus","rate":16000}}}}}`,
			session.Problem{Code: session.UnsupportedFormat, Param: "session.audio.input.format"}},
		{websocket.MessageBinary, "RIFF", session.Problem{Code: session.InvalidAudioFrame, Param: "header"}},
		{websocket.MessageBinary, frame(320, 1), session.Problem{Code: session.InvalidAudioFrame, Param: "payload"}},
	} {
		s.send(c.kind, []byte(c.sent))
		got := next[session.Failure](s).Error
		if got.Code != c.want.Code || got.Param != c.want.Param || got.EventID != c.want.EventID || got.Fatal || got.Message == "" {
			t.Errorf("%.80q is answered by %+v, want %+v", c.sent, got, c.want)
		}
	}
	s.send(websocket.MessageText, []byte(`{"type":"session.end"}`))
	next[session.Ended](s)
	s.closed(websocket.StatusNormalClosure, "normal")
}

// What breaks the protocol ends the conversation with the code that says how.
func TestBrokenProtocolEnds(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	buy, url := newcomer(t, h)
	for name, c := range map[string]struct {
		kind   websocket.MessageType
		sent   []byte
		code   websocket.StatusCode
		reason session.Code
	}{
		"invalid UTF-8":  {websocket.MessageText, []byte("{\"type\":\"\xff\"}"), websocket.StatusInvalidFramePayloadData, session.InvalidJSON},
		"oversized text": {websocket.MessageText, slices.Repeat([]byte{' '}, wire.MaxTextBytes+1), websocket.StatusMessageTooBig, session.MessageTooLarge},
		"oversized frame": {websocket.MessageBinary, append(wire.AppendHeader(nil, wire.Mic, &session.Frame{Stream: 1}), make([]byte, wire.MaxAudioBytes+2)...),
			websocket.StatusMessageTooBig, session.MessageTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			s := withTicket(t, url, buy())
			next[session.Created](s)
			s.send(c.kind, c.sent)
			if no := next[session.Failure](s).Error; no.Code != c.reason || !no.Fatal || no.Message == "" {
				t.Errorf("told %+v", no)
			}
			s.closed(c.code, c.reason)
		})
	}
}

// A client that sends fifty times as much audio as anybody can say is warned, and ended
// when it goes on for ten seconds.
func TestFlood(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	buy, url := newcomer(t, h)
	s := withTicket(t, url, buy())
	next[session.Created](s)
	second := append(wire.AppendHeader(nil, wire.Mic, &session.Frame{Stream: 1}), make([]byte, wire.MaxAudioBytes)...)
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		for s.ws.Write(context.Background(), websocket.MessageBinary, second) == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if w := next[session.Warning](s); w.Code != session.WarnInputOverrun {
		t.Errorf("warned of %+v", w)
	}
	s.closed(4429, session.RateLimited)
	<-flooded
}

// A learner who says nothing is let go, and told why.
func TestIdle(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{}, "KALAMI_IDLE_TIMEOUT=1s")
	p := join(t, h.url(), "en", "B2")
	if no := await[session.Failure](p, 1).Error; no.Code != session.IdleTimeout || !no.Fatal {
		t.Errorf("told %+v", no)
	}
	if err := <-p.ended; websocket.CloseStatus(err) != 4408 {
		t.Errorf("closed with %v, want 4408", err)
	}
}
