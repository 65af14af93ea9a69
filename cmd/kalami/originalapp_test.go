package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kalami/providers"
	upload "kalami/providers/recording"
	"kalami/providers/simulate"
)

// A script written as the original's app behaves, against a server that was just set up:
// from registering to signing out, and everything that never worked before.
func TestOriginalApp(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		for _, prefix := range []string{"", "/api"} {
			t.Run("at "+prefix+"/", func(t *testing.T) {
				h := openHouse(t, b, simulate.Latency{})
				p := newOriginalPhone(t, h.url()+prefix)
				refresh := p.joinsAndSignsIn()
				profile := p.choosesLanguage()
				session := p.opensSession(profile)
				p.talks(profile, session)
				p.writesAndRecords(session)
				p.looksBack(profile, session)
				p.ends(session)
				p.staysSignedIn(refresh)
				if log := h.log.String(); strings.Contains(log, "token=") || strings.Contains(log, p.access) {
					t.Error("the log holds a token")
				}
			})
		}
	})
}

// fixture is one of the recordings that phones and browsers make.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../providers/recording/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkClip checks that a base64 string is one whole MP3.
func checkClip(t *testing.T, in64 any) {
	t.Helper()
	s, _ := in64.(string)
	clip, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := upload.Inspect(clip); err != nil || info.Format != providers.MP3 || info.Duration <= 0 {
		t.Errorf("the clip of %d bytes is %+v, %v", len(clip), info, err)
	}
}

func (p *originalPhone) joinsAndSignsIn() (refresh string) {
	p.t.Helper()
	who := object{"email": "ana@example.org", "password": "a good long one", "native_language": "en", "name": "Ana"}
	joined := read(p.t, p.send("POST", "/auth/register", who, http.StatusCreated), userShape())
	if joined["email"] != "ana@example.org" || joined["native_language"] != "en" || joined["name"] != "Ana" {
		p.t.Errorf("registered as %v", joined)
	}
	p.refused(p.send("POST", "/auth/register", who, http.StatusBadRequest), "Email already registered")
	p.refused(p.send("GET", "/auth/me", nil, http.StatusUnauthorized), "Not authenticated")
	p.refused(p.form("/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"another one"}}, http.StatusUnauthorized),
		"Invalid email or password")

	in := read(p.t, p.form("/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"a good long one"}}, http.StatusOK),
		shape{"access_token": text, "token_type": text, "user": userShape(), "refresh_token": text})
	if in["token_type"] != "bearer" || in["user"].(object)["id"] != joined["id"] {
		p.t.Errorf("signed in as %v", in["user"])
	}
	p.access = in["access_token"].(string)
	if me := read(p.t, p.send("GET", "/auth/me", nil, http.StatusOK), userShape()); me["id"] != joined["id"] {
		p.t.Errorf("is %v, registered as %v", me["id"], joined["id"])
	}
	return in["refresh_token"].(string)
}

func (p *originalPhone) choosesLanguage() (profile string) {
	p.t.Helper()
	if got := readList(p.t, p.send("GET", "/users/profiles", nil, http.StatusOK), profileShape()); len(got) != 0 {
		p.t.Errorf("begins with profiles %v", got)
	}
	wish := object{"target_language": "es", "cefr_level": "A2"}
	made := read(p.t, p.send("POST", "/users/profiles", wish, http.StatusCreated), profileShape())
	p.refused(p.send("POST", "/users/profiles", wish, http.StatusBadRequest), "Profile for es already exists")
	profile = made["id"].(string)
	if got := readList(p.t, p.send("GET", "/users/profiles", nil, http.StatusOK), profileShape()); len(got) != 1 || got[0]["id"] != profile {
		p.t.Errorf("listed are %v", got)
	}
	changed := read(p.t, p.send("PATCH", "/users/profiles/"+profile, object{"cefr_level": "B1"}, http.StatusOK), profileShape())
	one := read(p.t, p.send("GET", "/users/profiles/"+profile, nil, http.StatusOK), profileShape())
	if changed["cefr_level"] != "B1" || one["cefr_level"] != "B1" {
		p.t.Errorf("changed to %v, then %v", changed["cefr_level"], one["cefr_level"])
	}
	return profile
}

// opensSession does what the app does when the learner begins to talk: it looks for a
// session whose profile_id is the selected profile's, and makes one if there is none.
func (p *originalPhone) opensSession(profile string) (session string) {
	p.t.Helper()
	find := func() string {
		for _, s := range readList(p.t, p.send("GET", "/conversations/sessions?limit=20&offset=0", nil, http.StatusOK), sessionShape()) {
			if s["profile_id"] == profile && s["ended_at"] == nil {
				return s["id"].(string)
			}
		}
		return ""
	}
	if found := find(); found != "" {
		p.t.Errorf("found session %s before there was one", found)
	}
	p.refused(p.send("POST", "/conversations/sessions", object{"profile_id": "0199aa00-0000-7000-8000-000000000000"}, http.StatusNotFound),
		"Learning profile not found")
	made := read(p.t, p.send("POST", "/conversations/sessions", object{"profile_id": profile, "difficulty_level": "B1"}, http.StatusCreated), sessionShape())
	if made["topic"] != "General conversation" || made["profile_id"] != profile || made["difficulty_level"] != "B1" || made["ended_at"] != nil {
		p.t.Errorf("made %v", made)
	}
	if found := find(); found != made["id"] {
		p.t.Errorf("found %q, made %v", found, made["id"])
	}
	return made["id"].(string)
}

// talks uses the socket: a conversation of its own, two recordings, and one in the session
// that was made by REST.
func (p *originalPhone) talks(profile, session string) {
	p.t.Helper()
	s := p.dial("?token=" + url.QueryEscape(p.access))
	s.want("connected", shape{"connectionId": text})
	s.say("heartbeat", object{"ping": true})
	s.want("heartbeat", shape{"pong": truth}) // which the app answers; see below that nobody answers that
	s.say("start_session", object{"profileId": profile, "topic": "En el restaurante"})
	started := s.want("session_started", shape{"session": sessionShape()})["session"].(object)
	if started["profile_id"] != profile || started["topic"] != "En el restaurante" {
		p.t.Errorf("started %v", started)
	}
	s.says(fixture(p.t, "speech.m4a"), "m4a", started["id"])
	second := s.says(fixture(p.t, "speech-live.webm"), "webm", started["id"])
	if c := second["grammar_corrections"].([]any); len(c) != 1 || c[0].(object)["corrected"] != "estoy muy cansado" {
		p.t.Errorf("the second recording was corrected with %v", c)
	}
	s.say("end_session", object{})
	ended := s.want("session_ended", shape{"session": sessionShape()})["session"].(object)
	if ended["id"] != started["id"] || ended["ended_at"] == nil || ended["message_count"] != 4.0 {
		p.t.Errorf("ended %v", ended)
	}
	stored := read(p.t, p.send("GET", "/conversations/sessions/"+started["id"].(string), nil, http.StatusOK), sessionShape())
	if stored["ended_at"] != ended["ended_at"] {
		p.t.Errorf("the socket says that it ended at %v, the API %v", ended["ended_at"], stored["ended_at"])
	}
	s.says(fixture(p.t, "speech-fragmented.m4a"), "m4a", session)
	s.quiet()
	if err := s.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		p.t.Error(err)
	}
	for query, want := range map[string]websocket.CloseError{
		"":           {Code: 4001, Reason: "Authentication required"},
		"?token=old": {Code: 4002, Reason: "Invalid token"},
	} {
		s := p.dial(query)
		for m := range s.frames {
			p.t.Errorf("%q was told %v", query, m)
		}
		if got := websocket.CloseStatus(s.err); got != want.Code || !strings.Contains(s.err.Error(), want.Reason) {
			p.t.Errorf("%q was closed with %v", query, s.err)
		}
	}
}

// says sends a recording and reads its answer: the stages, what was heard, one text and
// one clip.
func (s *originalSocket) says(file []byte, format string, session any) (response object) {
	s.t.Helper()
	s.say("audio", object{"audio_base64": base64.StdEncoding.EncodeToString(file), "format": format, "session_id": session})
	var order []string
	for clip := false; !clip; {
		name, payload := s.next()
		switch name {
		case "processing":
			conform(s.t, name, payload, shape{"stage": text})
			continue
		case "transcription":
			conform(s.t, name, payload, shape{"text": text, "is_final": truth})
		case "response":
			conform(s.t, name, payload, shape{"text": text, "grammar_corrections": list{correctionShape()}})
			response = payload
		case "audio":
			conform(s.t, name, payload, shape{"audio_base64": text, "format": text})
			checkClip(s.t, payload["audio_base64"])
			if clip = true; payload["format"] != "mp3" {
				s.t.Errorf("the clip is called %v", payload["format"])
			}
		}
		order = append(order, name)
	}
	if want := []string{"transcription", "response", "audio"}; !slices.Equal(order, want) {
		s.t.Fatalf("answered with %v, want %v", order, want)
	}
	return response
}

// quiet checks that nothing comes by itself: no second clip, and no answer to the app's
// answer to a heartbeat. The pong comes after whatever was said before it.
func (s *originalSocket) quiet() {
	s.t.Helper()
	s.say("heartbeat", object{"pong": true})
	s.say("ping", object{})
	s.want("pong", shape{})
}

// writesAndRecords takes turns by REST: typed, and recorded in either form.
func (p *originalPhone) writesAndRecords(session string) {
	p.t.Helper()
	path := "/conversations/sessions/" + session
	typed := read(p.t, p.send("POST", path+"/text", object{"text": "Quiero el pescado."}, http.StatusOK), turnShape())
	if typed["user_text"] != "Quiero el pescado." {
		p.t.Errorf("typed %v", typed["user_text"])
	}
	checkClip(p.t, typed["assistant_audio_base64"])
	silent := read(p.t, p.send("POST", path+"/text", object{"text": "Gracias.", "generate_audio": false}, http.StatusOK), turnShape())
	if silent["assistant_audio_base64"] != nil {
		p.t.Error("an answer was spoken that nobody wants to hear")
	}
	form := read(p.t, p.file(path+"/audio", "audio", "recording.m4a", fixture(p.t, "speech.m4a"), http.StatusOK), turnShape())
	checkClip(p.t, form["assistant_audio_base64"])
	in64 := base64.StdEncoding.EncodeToString(fixture(p.t, "speech.webm"))
	whole := read(p.t, p.send("POST", path+"/audio", object{"audio_base64": in64, "format": "webm"}, http.StatusOK), turnShape())
	checkClip(p.t, whole["assistant_audio_base64"])
	if form["transcription"] != form["user_text"] || whole["response_text"] != whole["assistant_text"] {
		p.t.Errorf("the two names of a text differ: %v, %v", form, whole)
	}
}

// looksBack reads the history and the statistics.
func (p *originalPhone) looksBack(profile, session string) {
	p.t.Helper()
	messages := readList(p.t, p.send("GET", "/conversations/sessions/"+session+"/messages", nil, http.StatusOK), messageShape())
	if want := slices.Repeat([]string{"user", "assistant"}, 5); !slices.Equal(roles(messages), want) {
		p.t.Errorf("the history is by %v, want %v", roles(messages), want)
	}
	for _, m := range messages {
		if m["content"] != m["content_text"] || m["created_at"] != m["timestamp"] || m["session_id"] != session {
			p.t.Errorf("the names of a message's fields differ: %v", m)
		}
	}
	stats := read(p.t, p.send("GET", "/users/stats", nil, http.StatusOK), statsShape())
	if stats["total_sessions"] != 2.0 || stats["total_conversations"] != 2.0 || stats["current_streak"] != 1.0 || stats["longest_streak"] != 1.0 ||
		!slices.Equal(stats["languages_learning"].([]any), []any{"es"}) {
		p.t.Errorf("statistics %v", stats)
	}
	// Five recordings of three and a half seconds: the learner's voice, and not the clock.
	if seconds := stats["total_practice_time"].(float64); seconds < 5 || seconds > 18 {
		p.t.Errorf("%v seconds spoken", seconds)
	}
	one := read(p.t, p.send("GET", "/users/profiles/"+profile, nil, http.StatusOK), profileShape())
	if one["total_practice_time"] != stats["total_practice_time"] || one["total_speaking_time_seconds"] != one["total_practice_time"] || one["streak_days"] != 1.0 {
		p.t.Errorf("the profile says %v, the statistics %v", one, stats)
	}
}

// ends the session, twice, and is told afterwards that it has ended.
func (p *originalPhone) ends(session string) {
	p.t.Helper()
	path := "/conversations/sessions/" + session
	first := read(p.t, p.send("POST", path+"/end", nil, http.StatusOK), sessionShape())
	before := read(p.t, p.send("GET", "/users/stats", nil, http.StatusOK), statsShape())
	again := read(p.t, p.send("POST", path+"/end", nil, http.StatusOK), sessionShape())
	after := read(p.t, p.send("GET", "/users/stats", nil, http.StatusOK), statsShape())
	if first["ended_at"] == nil || first["ended_at"] != again["ended_at"] || first["duration_seconds"] != again["duration_seconds"] {
		p.t.Errorf("ended as %v, then as %v", first, again)
	}
	if before["total_practice_time"] != after["total_practice_time"] || before["total_sessions"] != after["total_sessions"] {
		p.t.Errorf("ending twice counts twice: %v, then %v", before, after)
	}
	p.refused(p.send("POST", path+"/text", object{"text": "¿Hola?"}, http.StatusBadRequest), "Session has ended")
}

// staysSignedIn does what the app must learn: to renew its token. Then it signs out.
func (p *originalPhone) staysSignedIn(refresh string) {
	p.t.Helper()
	renewed := read(p.t, p.send("POST", "/auth/refresh", object{"refresh_token": refresh}, http.StatusOK),
		shape{"access_token": text, "token_type": text, "refresh_token": text, "user": userShape()})
	p.access = renewed["access_token"].(string)
	read(p.t, p.send("GET", "/auth/me", nil, http.StatusOK), userShape())
	latest := object{"refresh_token": renewed["refresh_token"]}
	p.send("POST", "/auth/logout", latest, http.StatusNoContent)
	p.send("POST", "/auth/refresh", latest, http.StatusUnauthorized)

	s := p.dial("?token=" + url.QueryEscape(p.access))
	s.want("connected", shape{"connectionId": text})
	p.send("POST", "/auth/logout-all", nil, http.StatusNoContent)
	for m := range s.frames {
		p.t.Errorf("a socket that is signed out was told %v", m)
	}
	if got := websocket.CloseStatus(s.err); got != 4002 {
		p.t.Errorf("signing out everywhere closed the socket with %v", s.err)
	}
	p.send("GET", "/auth/me", nil, http.StatusUnauthorized)
}
