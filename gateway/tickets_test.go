package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// busyVoice is a voice endpoint with a number of conversations open.
type busyVoice struct{ mine, all int }

func (busyVoice) register(*echo.Echo)              {}
func (b busyVoice) ActiveSessions(_, _ string) int { return b.mine }
func (b busyVoice) TotalSessions() int             { return b.all }
func (b busyVoice) Full() bool                     { return b.all >= 5 }
func (busyVoice) endUser(string)                   {}
func (busyVoice) drain(context.Context) error      { return nil }

// A ticket carries what was asked for over what the profile says, to the one socket
// that shows it.
func TestTicketRoundTrip(t *testing.T) {
	demo := &session.DemoInfo{Missing: []string{"ANTHROPIC_API_KEY"}}
	h := newHouse(t, func(o *Options) { o.Demo = func(string) *session.DemoInfo { return demo } })
	access, user := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	h.as(access, "PATCH", "/users/profiles/"+profile, `{"patience_ms":2500,"speech_rate":0.8,"voice_id":"vera","correction_mode":"elicit"}`).
		want(http.StatusOK)

	before := time.Now()
	r := h.as(access, "POST", "/api/v1/voice/tickets", map[string]any{
		"profile_id": profile, "topic": "  At the market ", "device_id": "phone-1",
		"session": map[string]any{"duplex": "full", "audio": map[string]any{
			"input":  map[string]any{"format": map[string]any{"type": "audio/pcm", "rate": 48000}},
			"output": map[string]any{"speed": 1.2, "unknown": true},
		}},
	}, "Origin", "https://app.example").want(http.StatusCreated)
	var got ticketJSON
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	if !token.IsTicket(got.Ticket) || got.URL != "ws://example.com/v1/voice" {
		t.Errorf("ticket %q for %q", got.Ticket, got.URL)
	}
	if life := got.ExpiresAt.Sub(before); life < ticketTTL-time.Second || life > ticketTTL+time.Minute {
		t.Errorf("the ticket lives %v", life)
	}
	for key := range h.store.once {
		if strings.Contains(key, got.Ticket) || strings.Contains(string(h.store.once[key].value), got.Ticket) {
			t.Error("the store holds the ticket itself")
		}
	}

	ticket, err := h.server.redeemTicket(t.Context(), got.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	if ticket.TokenExpiresAt.Before(before) || !ticket.ExpiresAt.Equal(got.ExpiresAt) {
		t.Errorf("token until %v, ticket until %v", ticket.TokenExpiresAt, ticket.ExpiresAt)
	}
	want := marketTicket(user, profile)
	want.Session.Parts, want.Session.Demo = h.options.Parts, demo
	ticket.TokenExpiresAt, ticket.ExpiresAt = time.Time{}, time.Time{}
	if asJSON(t, ticket) != asJSON(t, want) {
		t.Errorf("redeemed %s\nwant     %s", asJSON(t, ticket), asJSON(t, want))
	}
	if asJSON(t, got.Session) != asJSON(t, want.Session) {
		t.Errorf("answered session %s", asJSON(t, got.Session))
	}
	if _, err := h.server.redeemTicket(t.Context(), got.Ticket); learn.KindOf(err) != learn.Unauthorised {
		t.Errorf("the second time: %v", err)
	}
}

// marketTicket is what TestTicketRoundTrip asks for, without times, parts and demo.
func marketTicket(userID, profileID string) Ticket {
	return Ticket{
		UserID: userID, TenantID: learn.PersonalTenant, ProfileID: profileID, Topic: "At the market",
		Origin: "https://app.example", DeviceID: "phone-1",
		Session: session.Config{
			ProfileID: profileID, Language: "es", NativeLanguage: "en", Level: "B1", Topic: "At the market",
			CorrectionMode: "elicit", Duplex: "full",
			Audio: session.AudioConfig{
				Input: session.InputConfig{
					Format:        session.Format{Type: "audio/pcm", Rate: 48000},
					TurnDetection: &session.TurnDetection{Type: "patient", PatienceMS: 2500, InterruptResponse: true},
				},
				Output: session.OutputConfig{Format: session.Format{Type: "audio/pcm", Rate: 24000}, Voice: "vera", Speed: 1.2},
			},
		},
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ticketFor buys a ticket and returns its session part and secret.
func (h *house) ticketFor(access string, body any) (session.Config, string) {
	h.Helper()
	var out ticketJSON
	if err := json.Unmarshal(h.as(access, "POST", "/v1/voice/tickets", body).want(http.StatusCreated).body, &out); err != nil {
		h.Fatal(err)
	}
	return out.Session, out.Ticket
}

func TestTicketSessionConfig(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "fr")
	ask := func(sessionJSON string) session.Config {
		t.Helper()
		c, _ := h.ticketFor(access, `{"profile_id":"`+profile+`","session":`+sessionJSON+`}`)
		return c
	}
	def := ask(`{}`)
	if def.Topic != "General conversation" || def.Duplex != "full" || def.Audio.Input.Format.Rate != 16000 ||
		def.Audio.Output.Format.Rate != 24000 || def.Audio.Input.TurnDetection == nil || def.Audio.Output.Speed != 0 {
		t.Errorf("defaults: %+v", def)
	}
	if asJSON(t, ask(`null`)) != asJSON(t, def) {
		t.Error("session null is not the default")
	}
	if c := ask(`{"audio":{"input":{"turn_detection":null}}}`); c.Audio.Input.TurnDetection != nil {
		t.Errorf("push-to-talk: %+v", c.Audio.Input)
	}
	if c := ask(`{"audio":{"input":{"turn_detection":{"patience_ms":800,"interrupt_response":false}}}}`); *c.Audio.Input.TurnDetection !=
		(session.TurnDetection{Type: "patient", PatienceMS: 800}) {
		t.Errorf("own patience: %+v", c.Audio.Input.TurnDetection)
	}
	if c := ask(`{"audio":{"input":{"turn_detection":{"type":"endpoint"}}}}`); *c.Audio.Input.TurnDetection !=
		(session.TurnDetection{Type: "endpoint", InterruptResponse: true}) {
		t.Errorf("the recogniser's ends: %+v", c.Audio.Input.TurnDetection)
	}
	if c := ask(`{"duplex":"half"}`); c.Duplex != "half" || c.Audio.Input.TurnDetection.InterruptResponse {
		t.Errorf("half duplex: %+v", c)
	}
	for _, rate := range []string{"8000", "16000", "24000", "48000"} {
		ask(`{"audio":{"input":{"format":{"type":"audio/pcm","rate":` + rate + `}}}}`)
	}
	for _, rate := range []string{"16000", "24000"} {
		ask(`{"audio":{"output":{"format":{"type":"audio/pcm","rate":` + rate + `}}}}`)
	}
}

func TestTicketRefusals(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	ok := `{"profile_id":"` + profile + `"`
	for body, fields := range map[string][]string{
		``:                                      {"body"},
		`{}`:                                    {"profile_id"},
		`{"profile_id":""}`:                     {"profile_id"},
		`{"profile_id":7}`:                      {"profile_id"},
		ok + `,"conversation_id":7}`:            {"conversation_id"},
		ok + `,"topic":["x"]}`:                  {"topic"},
		ok + `,"topic":"a\u0007b"}`:             {"topic"},
		ok + `,"device_id":"a b"}`:              {"device_id"},
		ok + `,"device_id":""}`:                 {"device_id"},
		ok + `,"session":[]}`:                   {"session"},
		ok + `,"session":"full"}`:               {"session"},
		ok + `,"session":{"duplex":1}}`:         {"session.duplex"},
		ok + `,"session":{"duplex":"triplex"}}`: {"session.duplex"},
		ok + `,"session":{"audio":7}}`:          {"session.audio"},
		ok + `,"session":{"audio":{"input":{"format":{"type":"audio/pcm","rate":"16000"}}}}}`: {"session.audio.input.format.rate"},
		ok + `,"session":{"audio":{"input":{"format":{"type":"audio/pcm","rate":16000.5}}}}}`: {"session.audio.input.format.rate"},
		ok + `,"session":{"audio":{"input":{"format":{"type":"audio/pcm","rate":44100}}}}}`:   {"session.audio.input.format.rate"},
		ok + `,"session":{"audio":{"input":{"format":{"type":"audio/pcm"}}}}}`:                {"session.audio.input.format.rate"},
		ok + `,"session":{"audio":{"input":{"format":{"type":"audio/opus","rate":48000}}}}}`:  {"session.audio.input.format.type"},
		ok + `,"session":{"audio":{"output":{"format":{"type":"audio/pcm","rate":48000}}}}}`:  {"session.audio.output.format.rate"},
		ok + `,"session":{"audio":{"output":{"format":{"type":"audio/mpeg","rate":24000}}}}}`: {"session.audio.output.format.type"},
		ok + `,"session":{"audio":{"output":{"speed":0.4}}}}`:                                 {"session.audio.output.speed"},
		ok + `,"session":{"audio":{"output":{"speed":"fast"}}}}`:                              {"session.audio.output.speed"},
		ok + `,"topic":"a\u2028b"}`:                                                            {"topic"},
		ok + `,"topic":"a\u202eb"}`:                                                            {"topic"},
		ok + `,"session":{"audio":{"output":{"voice":".."}}}}`:                                 {"session.audio.output.voice"},
		ok + `,"session":{"audio":{"output":{"voice":"../../user?x=#"}}}}`:                     {"session.audio.output.voice"},
		ok + `,"session":{"audio":{"output":{"voice":"\u0000"}}}}`:                             {"session.audio.output.voice"},
		ok + `,"session":{"audio":{"input":{"turn_detection":"off"}}}}`:                        {"session.audio.input.turn_detection"},
		ok + `,"session":{"audio":{"input":{"turn_detection":{"type":"server_vad"}}}}}`:        {"session.audio.input.turn_detection.type"},
		ok + `,"session":{"audio":{"input":{"turn_detection":{"patience_ms":799}}}}}`:          {"session.audio.input.turn_detection.patience_ms"},
		ok + `,"session":{"audio":{"input":{"turn_detection":{"patience_ms":"1s"}}}}}`:         {"session.audio.input.turn_detection.patience_ms"},
		ok + `,"session":{"audio":{"input":{"turn_detection":{"interrupt_response":"yes"}}}}}`: {"session.audio.input.turn_detection.interrupt_response"},
		ok + `,"topic":"` + strings.Repeat("x", maxTopic+1) + `","session":{"duplex":""}}`:     {"topic", "session.duplex"},
	} {
		h.as(access, "POST", "/v1/voice/tickets", body).invalid(fields...)
	}
	if len(h.store.once) != 0 {
		t.Error("a refused request left a ticket behind")
	}
	other, _ := h.account("bo@example.org")
	for who, body := range map[string]string{other: ok + `}`, access: `{"profile_id":"a\u0000b"}`} {
		if e := h.as(who, "POST", "/v1/voice/tickets", body).refusal(http.StatusNotFound, "not_found"); e.Detail != "Profile not found" {
			t.Errorf("detail %q", e.Detail)
		}
	}
	h.do("POST", "/v1/voice/tickets", ok+`}`).refusal(http.StatusUnauthorized, "unauthorized")
}

func TestTicketForConversation(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	spanish, french := h.profileOf(access, "es"), h.profileOf(access, "fr")
	boAccess, bo := h.account("bo@example.org")
	start := func(userID, profileID string) string {
		c, err := h.store.StartConversation(t.Context(), learn.Conversation{
			TenantID: learn.PersonalTenant, UserID: userID, ProfileID: profileID, Topic: "Yesterday"})
		if err != nil {
			t.Fatal(err)
		}
		return c.ID
	}
	id := start(user, spanish)
	body := map[string]string{"profile_id": spanish, "conversation_id": id, "topic": "Something else"}
	c, secret := h.ticketFor(access, body)
	if c.ConversationID != id || c.Topic != "Yesterday" {
		t.Errorf("continued as %+v", c)
	}
	if ticket, err := h.server.redeemTicket(t.Context(), secret); err != nil || ticket.ConversationID != id {
		t.Errorf("redeemed %+v, %v", ticket, err)
	}
	for name, unknown := range map[string]map[string]string{
		"of another profile": {"profile_id": french, "conversation_id": id},
		"of another user":    {"profile_id": spanish, "conversation_id": start(bo, h.profileOf(boAccess, "es"))},
		"not there":          {"profile_id": spanish, "conversation_id": "conversation-999"},
		"no id at all":       {"profile_id": spanish, "conversation_id": "../x"},
	} {
		if e := h.as(access, "POST", "/v1/voice/tickets", unknown).refusal(http.StatusNotFound, "not_found"); e.Detail != "Session not found" {
			t.Errorf("%s: %q", name, e.Detail)
		}
	}
	over, now := h.store.conversations[id], time.Now()
	over.EndedAt = &now
	h.store.conversations[id] = over
	h.as(access, "POST", "/v1/voice/tickets", body).refusal(http.StatusConflict, "session_ended")
}

func TestTicketStoreDown(t *testing.T) {
	h := newHouse(t)
	live := newMemory()
	h.server.opts.Once = live
	access, _ := h.account("ana@example.org")
	body := map[string]string{"profile_id": h.profileOf(access, "es")}
	_, secret := h.ticketFor(access, body)
	live.fail(errors.New("connection refused"))
	h.as(access, "POST", "/v1/voice/tickets", body).refusal(http.StatusServiceUnavailable, "unavailable")
	if _, err := h.server.redeemTicket(t.Context(), secret); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("redeemed while the store is down: %v", err)
	}
}

func TestRedeemTicketRefuses(t *testing.T) {
	h := newHouse(t)
	for name, secret := range map[string]string{
		"empty": "", "unknown": token.NewTicket(), "a resume token": token.NewResume("0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"), "a hash": token.Hash("x"),
		"huge": "kt_" + strings.Repeat("a", 1<<20),
	} {
		if _, err := h.server.redeemTicket(t.Context(), secret); learn.KindOf(err) != learn.Unauthorised {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := token.NewTicket()
	if err := h.store.PutOnce(t.Context(), ticketKey(broken), []byte("{"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := h.server.redeemTicket(t.Context(), broken); err == nil || learn.KindOf(err) != learn.Internal {
		t.Errorf("a broken row: %v", err)
	}
}

// A ticket is good for its minute, also in a store that forgets late.
func TestTicketExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		keep := func(ttl time.Duration) string {
			secret := token.NewTicket()
			value := asJSON(t, Ticket{UserID: "u", ExpiresAt: time.Now().Add(ticketTTL)})
			if err := h.store.PutOnce(t.Context(), ticketKey(secret), []byte(value), ttl); err != nil {
				t.Fatal(err)
			}
			return secret
		}
		inTime, late, forgotten := keep(time.Hour), keep(ticketKept), keep(ticketTTL)
		time.Sleep(ticketTTL - time.Millisecond)
		if _, err := h.server.redeemTicket(t.Context(), inTime); err != nil {
			t.Errorf("just in time: %v", err)
		}
		time.Sleep(time.Millisecond)
		for _, c := range []struct {
			secret string
			code   session.Code
		}{{late, session.TicketExpired}, {late, session.TicketInvalid}, {forgotten, session.TicketInvalid}} {
			_, err := h.server.redeemTicket(t.Context(), c.secret)
			if learn.KindOf(err) != learn.Unauthorised || refusalOf(err).problem.Code != c.code {
				t.Errorf("a minute later: %v, want %s", err, c.code)
			}
		}
	})
}

// Of many that show the same ticket exactly one gets in.
func TestTicketRace(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	_, secret := h.ticketFor(access, map[string]string{"profile_id": h.profileOf(access, "es")})
	var winners atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := h.server.redeemTicket(t.Context(), secret); err == nil {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d got in", n)
	}
}

// FuzzTicketRequest looks for bodies that the route answers otherwise than with a
// ticket or a refusal of the one shape.
func FuzzTicketRequest(f *testing.F) {
	for _, s := range []string{
		`{"profile_id":"p"}`, `{"profile_id":"p","session":{"audio":{"input":{"turn_detection":null}}}}`,
		`{"profile_id":"p","session":{"audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"speed":1}}}}`,
		`{"session":{"audio":{"input":{"turn_detection":{"patience_ms":1e3}}}}}`, `[`, `null`, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var in ticketRequest
		h := house{T: t, server: &Server{}}
		c := echo.New().NewContext(newRequest(t, body), nil)
		var ticket Ticket
		err := decodeJSON(c, &in)
		if err == nil {
			err = in.check(&ticket)
		}
		if err != nil {
			if a := describe(err); a.status != http.StatusUnprocessableEntity || len(a.body.Errors) == 0 {
				t.Errorf("%q: %+v", body, a)
			}
			return
		}
		config := h.server.sessionConfig(ticket, learn.Profile{}, learn.User{}, in.Session)
		if rate := config.Audio.Input.Format.Rate; rate < 8000 || rate > 48000 || config.Audio.Input.Format.Type != audioPCM {
			t.Errorf("%q: input format %+v", body, config.Audio.Input.Format)
		}
		if ticket.ProfileID == "" || ticket.Topic == "" {
			t.Errorf("%q: %+v", body, ticket)
		}
	})
}

func newRequest(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "/v1/voice/tickets", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
