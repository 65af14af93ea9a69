package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// A lesson of the original's app from the first message to the last, at either address.
func TestOriginalLesson(t *testing.T) {
	h := newOriginalHouse(t)
	h.tutor.says(func(r *session.TurnResult, _ *error) {
		r.Corrections = []learn.Correction{{ID: "x", Original: "soy hambre", Corrected: "tengo hambre", Category: learn.WordChoice, Explanation: "Hunger is had."}}
	})
	for _, path := range []string{"/ws", "/api/ws"} {
		p, _, err := h.knock(path + "?token=" + h.access)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.next(); !strings.HasPrefix(got, `{"type":"connected","payload":{"connectionId":"ws_`) {
			t.Errorf("greeted with %s", got)
		}
		p.send(`{"type":"start_session","payload":{"profileId":"` + h.profile + `","topic":" Food "}}`)
		c := h.onlyConversation(p)
		if c.ProfileID != h.profile || c.UserID != h.user || c.Topic != "Food" || c.Mode != "turn" || c.Level != learn.B1 || c.TenantID != learn.PersonalTenant {
			t.Errorf("kept as %+v", c)
		}
		file := wavFile(1500 * time.Millisecond)
		p.record(file)
		p.want(toldTranscribing, toldHeard, toldThinking, toldSpeaking,
			`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[{"original":"soy hambre","corrected":"tengo hambre","explanation":"Hunger is had.","category":"word_choice"}],"session_id":"`+c.ID+`"}}`,
			toldClip)
		asked := <-h.tutor.asked
		asked.Progress = nil
		want := session.TurnRequest{
			User: asked.User, Profile: asked.Profile, ConversationID: c.ID, RecordingMS: 1500, Speak: true,
			Recording: &providers.Recording{Audio: file, Format: providers.WAV, Language: "es"},
		}
		if !reflect.DeepEqual(asked, want) || asked.User.ID != h.user || asked.Profile.ID != h.profile {
			t.Errorf("the tutor was asked %+v", asked)
		}
		p.send(`{"type":"end_session"}`)
		p.ended(c.ID)
		p.send(`{"type":"end_session","payload":{}}`)
		p.ended(c.ID)
		h.store.forget(c.ID)
		if err := p.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
	h.settle()
	h.roomIsWhole()
	if log := h.log.String(); strings.Contains(log, h.access) || strings.Contains(log, "token=") || strings.Contains(log, "hola") {
		t.Error("the log holds the token or what was said")
	}
}

// onlyConversation reads session_started and returns the conversation as it is stored.
func (h *originalHouse) onlyConversation(p *oldPhone) learn.Conversation {
	h.Helper()
	started := p.next()
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	for id, c := range h.store.conversations {
		if !strings.HasPrefix(started, `{"type":"session_started","payload":{"session":{`) || !strings.Contains(started, `"id":"`+id+`"`) ||
			!strings.Contains(started, `"profile_id":"`+c.ProfileID+`"`) {
			h.Errorf("started with %s", started)
		}
		return c
	}
	h.Fatalf("no conversation is stored: %s", started)
	return learn.Conversation{}
}

// ended reads session_ended with an ended session.
func (p *oldPhone) ended(conversation string) {
	p.Helper()
	got := p.next()
	if !strings.HasPrefix(got, `{"type":"session_ended","payload":{"session":{`) || !strings.Contains(got, `"id":"`+conversation+`"`) || strings.Contains(got, `"ended_at":null`) {
		p.Errorf("ended with %s", got)
	}
}

// forget removes a conversation.
func (m *memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conversations, id)
}

// The app knows two refusals, by their close codes.
func TestOriginalRefusedByCode(t *testing.T) {
	h := newOriginalHouse(t)
	expired, _, err := h.options.Tokens.Issue(h.user, learn.PersonalTenant, 0, time.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		target string
		code   websocket.StatusCode
		reason string
	}{
		"no token":                {"/ws", 4001, "Authentication required"},
		"an empty token":          {"/api/ws?token=", 4001, "Authentication required"},
		"nonsense":                {"/ws?token=letmein", 4002, "Invalid token"},
		"a changed token":         {"/ws?token=" + h.access + "x", 4002, "Invalid token"},
		"an expired token":        {"/ws?token=" + expired, 4002, "Invalid token"},
		"two tokens, first wrong": {"/ws?token=x&token=" + h.access, 4002, "Invalid token"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, err := h.knock(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			p.closed(tt.code, tt.reason)
		})
	}
	h.raiseVersion()
	p, _, err := h.knock("/ws?token=" + h.access)
	if err != nil {
		t.Fatal(err)
	}
	p.closed(4002, "Invalid token")
	h.settle()
	if log := h.log.String(); strings.Contains(log, h.access) || strings.Contains(log, "letmein") {
		t.Error("the log holds a token")
	}
}

// raiseVersion ends all sessions of ana's.
func (h *originalHouse) raiseVersion() {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	u := h.store.users[h.user]
	u.TokenVersion++
	h.store.users[h.user] = u
}

// Everything else is refused by a status.
func TestOriginalRefusedByStatus(t *testing.T) {
	limiter := &tally{}
	h := newOriginalHouse(t, func(o *Options) {
		o.AllowedOrigins = []string{"https://app.example"}
		o.MaxSessionsPerUser = 1
		o.Limiter, o.Rates.Handshakes = limiter, Rate{Count: 3, Per: time.Minute, Burst: 3}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	target := "/ws?token=" + h.access
	refused := func(status int, code string, header ...string) {
		t.Helper()
		p, resp, err := h.knock(target, header...)
		if err == nil {
			_ = p.ws.CloseNow()
			t.Fatalf("%q was let in", header)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != status || !strings.Contains(string(body), `"code":"`+code+`"`) {
			t.Errorf("%q: status %d %s, want %d %s", header, resp.StatusCode, body, status, code)
		}
	}
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil", "http://", "https:app.example", "://x"} {
		refused(http.StatusForbidden, "forbidden", "Origin", origin)
	}
	h.do("GET", target, nil).refusal(http.StatusUpgradeRequired, "upgrade_required")
	p := h.call()
	refused(http.StatusTooManyRequests, "too_many_sessions")
	_ = p.ws.Close(websocket.StatusNormalClosure, "")
	h.settle()
	_ = h.call().ws.Close(websocket.StatusNormalClosure, "")
	h.settle()
	refused(http.StatusTooManyRequests, "rate_limited")
	h.store.fail(errors.New("the disk is full"))
	refused(http.StatusInternalServerError, "internal")
	h.store.fail(nil)
	h.server.Drain()
	refused(http.StatusServiceUnavailable, "draining")
}

// Programs name odd origins, or none.
func TestOriginalOrigins(t *testing.T) {
	h := newOriginalHouse(t, func(o *Options) { o.AllowedOrigins = []string{"https://app.example"} })
	for _, origin := range []string{"", "file://", "capacitor://localhost", "ionic://localhost", "app.kalami+dev://", h.http.URL, "https://app.example"} {
		p, resp, err := h.knock("/ws?token="+h.access, "Origin", origin)
		if err != nil {
			t.Errorf("%q: %v, %v", origin, resp, err)
			continue
		}
		_ = p.next()
		_ = p.ws.Close(websocket.StatusNormalClosure, "")
		h.settle()
	}
}

// A heartbeat that asks is answered once, and no other is: the app answers whatever
// heartbeat it gets, so one that was answered wrongly would echo for ever.
func TestOriginalHeartbeat(t *testing.T) {
	h := newOriginalHouse(t)
	p := h.call()
	p.send(`{"type":"heartbeat","payload":{"ping":true}}`)
	p.want(`{"type":"heartbeat","payload":{"pong":true}}`)
	for _, answer := range []string{
		`{"type":"heartbeat","payload":{"pong":true}}`, `{"type":"heartbeat","payload":{"ping":false,"pong":true}}`,
		`{"type":"heartbeat","payload":{}}`, `{"type":"heartbeat"}`, `{"type":"heartbeat","payload":null}`,
	} {
		p.send(answer)
	}
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"pong","payload":{}}`) // and no heartbeat before it
}

// What cannot be read is said to be so, and the socket goes on; what is not known is
// ignored. Messages are known by their first byte and not by their frame.
func TestOriginalNonsense(t *testing.T) {
	h := newOriginalHouse(t)
	p := h.call()
	for _, nonsense := range []string{`hello`, ``, ` {"type":"ping"}`, `[1]`, `{`, `{}`, `{"type":7}`, `{"type":"audio","payload":{"audio_base64":1}}`, "{\"type\":\"\xff\"}"} {
		p.send(nonsense)
		p.failed("invalid", "Invalid message format")
	}
	p.sendBytes([]byte(`{"type":`))
	p.failed("invalid", "Invalid message format")
	p.send(`{"type":"dance","payload":{"wildly":true}}`)
	p.sendBytes([]byte("RIFF, but nobody records"))
	p.sendBytes(nil)
	p.sendBytes([]byte(`{"type":"ping","payload":{}}`))
	p.want(`{"type":"audio_received","payload":{"bytes":24}}`, `{"type":"audio_received","payload":{"bytes":0}}`, `{"type":"pong","payload":{}}`)
}

// Who sends more than an app can is told, and then closed.
func TestOriginalFlood(t *testing.T) {
	h := newOriginalHouse(t)
	p := h.call()
	for range 5 * originalBurst {
		p.send(`{"type":"heartbeat"}`)
	}
	p.failed("rate_limited", "Messages come too fast; some are dropped")
}

// A socket lives for as long as a lesson may last, whatever becomes of its access token,
// and no longer than its user may be here.
func TestOriginalEnds(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) { l.MaxDuration = 20 * time.Millisecond })
	h.call().closed(4202, "max_duration")

	h.limits(func(l *originalLimits) { *l = defaultOriginalLimits() })
	p, _ := h.lesson()
	h.raiseVersion()
	p.record(wavFile(time.Second))
	p.closed(4002, "Invalid token")
	if n := len(h.tutor.asked); n != 0 {
		t.Errorf("%d turns were begun", n)
	}
	h.settle()
	h.roomIsWhole()
}

// A user who was logged out everywhere is found out without saying a word, in the middle
// of a turn as well.
func TestOriginalLoggedOut(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) { l.PingEvery = 10 * time.Millisecond })
	h.tutor.go_ = make(chan struct{})
	p, _ := h.lesson()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing)
	<-h.tutor.asked
	h.store.fail(errors.New("the disk is full")) // that ends nobody
	time.Sleep(30 * time.Millisecond)
	h.store.fail(nil)
	h.raiseVersion()
	p.closed(4002, "Invalid token")
	if n, last := h.tutor.ends(); n != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d turns ended, the last with %v", n, last)
	}
}
