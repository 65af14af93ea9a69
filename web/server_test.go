package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/web"
)

// policy is the strict Content-Security-Policy that the page must live with.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; " +
	"worker-src 'self'; img-src 'self' data:; media-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'"

// server plays Kalami's server: accounts without a database, and a voice socket whose
// far end is a script of the test.
type server struct {
	t    *testing.T
	http *httptest.Server
	// talk is the tutor of one connection; number counts connections from 1.
	talk func(l *line, number int)
	// shortLived makes access tokens end at once, so that the page has to renew them.
	shortLived bool
	study      study
	// refuseTicket answers a ticket request in our place when it returns true.
	refuseTicket func(w http.ResponseWriter, number int) bool

	mu           sync.Mutex
	profile      map[string]string
	guests       int
	renewals     []string            // the refresh tokens that were shown
	links        []map[string]string // the bodies of what links out of mails lead to
	tickets      []map[string]string // the bodies of ticket requests
	subprotocols []string            // of every voice socket
	users        map[string]string   // password by e-mail
	lines        sync.WaitGroup
}

// newServer starts a server; the test's end waits for all of its conversations.
func newServer(t *testing.T, talk func(l *line, number int)) *server {
	t.Helper()
	s := &server{t: t, talk: talk, users: map[string]string{}, study: study{t: t}}
	mux := http.NewServeMux()
	pages := http.FileServerFS(web.FS())
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-store")
		pages.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /languages", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []map[string]any{
			{"code": "es", "demo": true}, {"code": "fr", "demo": true}, {"code": "de", "demo": true}, {"code": "it"}, {"code": "pt"}, {"code": "ja"},
			{"code": "ko"}, {"code": "zh"}, {"code": "ar"}, {"code": "ru"}, {"code": "en", "demo": true},
		})
	})
	mux.HandleFunc("POST /auth/guest", s.guest)
	mux.HandleFunc("POST /auth/register", s.register)
	mux.HandleFunc("POST /auth/login", s.login)
	mux.HandleFunc("POST /auth/refresh", s.refresh)
	mux.HandleFunc("POST /auth/email/verify", s.link)
	mux.HandleFunc("POST /auth/password/reset", s.link)
	mux.HandleFunc("GET /users/profiles", s.profiles)
	mux.HandleFunc("POST /users/profiles", s.saveProfile)
	mux.HandleFunc("PATCH /users/profiles/{id}", s.saveProfile)
	mux.HandleFunc("GET /analytics/{what}", s.analytics)
	s.study.routes(mux)
	mux.HandleFunc("POST /v1/voice/tickets", s.ticket)
	mux.HandleFunc("GET /v1/voice", s.voice)
	s.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.http.Close()
		s.lines.Wait()
	})
	return s
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a browser that has gone needs no answer
}

func refuse(w http.ResponseWriter, status int, detail string) {
	answer(w, status, map[string]string{"detail": detail})
}

func (s *server) guest(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests++
	tokens := map[string]any{"access_token": "guest-token", "token_type": "bearer"}
	if s.shortLived {
		tokens = map[string]any{"access_token": "old-token", "token_type": "bearer", "expires_in": 0, "refresh_token": "kf_1"}
	}
	answer(w, http.StatusCreated, tokens)
}

// refresh gives tokens that last.
func (s *server) refresh(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "not JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals = append(s.renewals, in["refresh_token"])
	answer(w, http.StatusOK, map[string]any{"access_token": "guest-token", "token_type": "bearer", "expires_in": 1800, "refresh_token": "kf_2"})
}

// link takes what links out of mails lead to.
func (s *server) link(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "not JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, in)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) register(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "not JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.users[in["email"]]; taken {
		refuse(w, http.StatusBadRequest, "Email already registered")
		return
	}
	s.users[in["email"]] = in["password"]
	answer(w, http.StatusCreated, map[string]string{"id": "u1", "email": in["email"]})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	if want, known := s.users[r.FormValue("username")]; !form || !known || want != r.FormValue("password") {
		refuse(w, http.StatusUnauthorized, "Invalid email or password")
		return
	}
	answer(w, http.StatusOK, map[string]string{"access_token": "user-token", "token_type": "bearer"})
}

// known answers 401 to whoever shows no token.
func known(w http.ResponseWriter, r *http.Request) bool {
	if token := r.Header.Get("Authorization"); token == "Bearer guest-token" || token == "Bearer user-token" {
		return true
	}
	refuse(w, http.StatusUnauthorized, "Not authenticated")
	return false
}

func (s *server) profiles(w http.ResponseWriter, r *http.Request) {
	if !known(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []map[string]string{}
	if s.profile != nil {
		list = append(list, s.profile)
	}
	answer(w, http.StatusOK, list)
}

func (s *server) saveProfile(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if !known(w, r) || json.NewDecoder(r.Body).Decode(&in) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.profile == nil {
		s.profile = map[string]string{"id": "p1", "target_language": in["target_language"]}
	}
	s.profile["cefr_level"] = in["cefr_level"]
	answer(w, http.StatusOK, s.profile)
}

func (s *server) ticket(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if !known(w, r) || json.NewDecoder(r.Body).Decode(&in) != nil {
		return
	}
	s.mu.Lock()
	s.tickets = append(s.tickets, in)
	number := len(s.tickets)
	s.mu.Unlock()
	if s.refuseTicket != nil && s.refuseTicket(w, number) {
		return
	}
	answer(w, http.StatusCreated, map[string]string{"ticket": "kt_secret", "url": "/v1/voice"})
}

// ticketRequests returns what tickets were asked for so far.
func (s *server) ticketRequests() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]map[string]string(nil), s.tickets...)
}

func (s *server) voice(w http.ResponseWriter, r *http.Request) {
	s.lines.Add(1)
	defer s.lines.Done()
	s.mu.Lock()
	s.subprotocols = append(s.subprotocols, r.Header.Get("Sec-WebSocket-Protocol"))
	number := len(s.subprotocols)
	s.mu.Unlock()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"kalami.v1"}})
	if err != nil {
		s.t.Errorf("accept: %v", err)
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 16)
	l := newLine(s.t, conn)
	defer l.join()
	s.talk(l, number)
}

// wait bounds every wait of the scripts.
const wait = 45 * time.Second
