package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// What the original's app does on its first day, at both of its paths: register, sign
// in with a form, ask who it is, choose a language, look at it.
func TestOriginalAppSequence(t *testing.T) {
	for _, prefix := range []string{"", "/api"} {
		h := newHouse(t)
		registered := h.do("POST", prefix+"/auth/register", map[string]any{
			"email": "Ana@Example.org", "password": "mi contraseña", "native_language": "pt-BR", "name": "Ana", "utm": "ignored",
		}).want(http.StatusCreated).json()
		if registered["email"] != "Ana@example.org" || registered["native_language"] != "pt" ||
			registered["name"] != "Ana" || registered["created_at"] != "2026-01-02T02:04:05Z" {
			t.Errorf("registered: %v", registered)
		}
		login := h.do("POST", prefix+"/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"mi contraseña"}}).
			want(http.StatusOK).json()
		if login["token_type"] != "bearer" || login["expires_in"] != 1800.0 {
			t.Errorf("login: %v", login)
		}
		if user := login["user"].(map[string]any); user["id"] != registered["id"] || user["created_at"] != registered["created_at"] {
			t.Errorf("login's user: %v", user)
		}
		access := login["access_token"].(string)
		if me := h.as(access, "GET", prefix+"/auth/me", nil).want(http.StatusOK).json(); me["id"] != registered["id"] {
			t.Errorf("me: %v", me)
		}
		if list := h.as(access, "GET", prefix+"/users/profiles", nil).want(http.StatusOK); strings.TrimSpace(string(list.body)) != "[]" {
			t.Errorf("no profiles are %s", list.body)
		}
		made := h.as(access, "POST", prefix+"/users/profiles", map[string]string{"target_language": "es"}).want(http.StatusCreated).json()
		if made["cefr_level"] != "A1" || made["total_practice_time"] != 0.0 || made["streak_days"] != 0.0 {
			t.Errorf("new profile: %v", made)
		}
		one := h.as(access, "GET", prefix+"/users/profiles/"+made["id"].(string), nil).want(http.StatusOK).json()
		if one["target_language"] != "es" {
			t.Errorf("profile: %v", one)
		}
	}
}

// Every route but a page's file is there at /x and at /api/x.
func TestRoutesAtBothPrefixes(t *testing.T) {
	h := newHouse(t)
	have := map[string]bool{}
	for _, r := range h.server.echo.Routes() {
		have[r.Method+" "+r.Path] = true
	}
	if len(have) < 30 {
		t.Fatalf("only %d routes", len(have))
	}
	for route := range have {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasPrefix(path, "/api") || path == voicePath {
			continue
		}
		if !have[method+" /api"+path] {
			t.Errorf("%s %s is not at /api", method, path)
		}
	}
}

// Everything but what signs in needs a token.
func TestRoutesNeedToken(t *testing.T) {
	h := newHouse(t)
	open := map[string]bool{
		"/": true, "/auth/refresh": true, "/auth/logout": true, "/auth/password/forgot": true, "/auth/password/reset": true,
		"/auth/email/verify": true, "/auth/email/resend": true, "/auth/register": true, "/auth/login": true, "/auth/guest": true,
		"/languages": true, "/health": true, "/livez": true, "/readyz": true, "/startupz": true, voicePath: true,
		"/openapi.json": true, "/openapi-3.0.json": true, "/asyncapi.json": true,
	}
	for _, r := range h.server.echo.Routes() {
		path := strings.TrimPrefix(r.Path, "/api")
		if open[path] || undescribed(path) || r.Method == http.MethodHead {
			continue
		}
		h.do(r.Method, strings.ReplaceAll(r.Path, ":id", "x"), nil).refusal(http.StatusUnauthorized, "unauthorized")
	}
}

func TestErrorsOfTheRouter(t *testing.T) {
	h := newHouse(t)
	h.do("GET", "/nowhere", nil).refusal(http.StatusNotFound, "not_found")
	h.do("POST", "/nowhere", "{}").refusal(http.StatusNotFound, "not_found")
	r := h.do("DELETE", "/auth/login", nil)
	r.refusal(http.StatusMethodNotAllowed, "method_not_allowed")
	if !strings.Contains(r.header.Get("Allow"), "POST") {
		t.Errorf("Allow: %q", r.header.Get("Allow"))
	}
	h.do("POST", "/auth/register", url.Values{"email": {"a@b.example"}}).
		refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
	if r := h.do("HEAD", "/users/profiles", nil).want(http.StatusUnauthorized); len(r.body) != 0 {
		t.Errorf("HEAD was answered with a body: %s", r.body)
	}
}

// panicking panics where others look a user up.
type panicking struct{ *memory }

func (panicking) CreateUser(context.Context, learn.User) (learn.User, error) {
	panic("a secret detail")
}

func TestPanicEndsOneRequest(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Users = panicking{o.Users.(*memory)} })
	r := h.do("POST", "/auth/guest", nil)
	e := r.refusal(http.StatusInternalServerError, "internal")
	if strings.Contains(string(r.body), "secret") || e.Detail != "Internal Server Error" {
		t.Errorf("the client sees %s", r.body)
	}
	if line := h.log.String(); !strings.Contains(line, "a secret detail") || !strings.Contains(line, "CreateUser") ||
		!strings.Contains(line, e.RequestID) {
		t.Errorf("the log does not tell the panic, its place and the request: %s", line)
	}
	h.do("GET", "/livez", nil).want(http.StatusOK)
}

func TestInternalErrorsAreNotShown(t *testing.T) {
	h := newHouse(t)
	h.store.fail(errors.New("pq: connection to 10.0.0.7 refused"))
	r := h.do("POST", "/auth/guest", nil)
	r.refusal(http.StatusInternalServerError, "internal")
	if strings.Contains(string(r.body), "10.0.0.7") {
		t.Errorf("the client sees %s", r.body)
	}
	if !strings.Contains(h.log.String(), "10.0.0.7") {
		t.Error("the log does not tell the cause")
	}
}

// What was sent is not repeated, neither in the answer nor in the log: a number where
// text belongs may be a password, and a number may be as long as a body.
func TestErrorsRepeatNoValues(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	secret := strings.Repeat("73557", 1000)
	h.log.Reset()
	h.do("POST", "/auth/register", `{"email":"bo@example.org","password":`+secret+`}`).invalid("password")
	h.as(access, "POST", "/users/profiles", `{"target_language":"es","patience_ms":`+secret+`}`).invalid("patience_ms")
	r := h.as(access, "POST", "/users/profiles", `{"target_language":"es","speech_rate":`+secret+`.5}`)
	r.invalid("speech_rate")
	if strings.Contains(string(r.body), "73557") || strings.Contains(h.log.String(), "73557") {
		t.Errorf("the value is in the answer or the log: %.300s\n%.300s", r.body, h.log)
	}
}

func TestRequestID(t *testing.T) {
	h := newHouse(t)
	for sent, kept := range map[string]bool{
		"abc-123_x.y": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "x\"y": false, "ключ": false, "<script>": false,
	} {
		got := h.do("GET", "/livez", nil, echo.HeaderXRequestID, sent).header.Get(echo.HeaderXRequestID)
		if (got == sent) != kept || got == "" {
			t.Errorf("X-Request-ID %q became %q", sent, got)
		}
	}
}

// The log has what happened, and nothing that is secret: no query, no body, no token.
func TestAccessLog(t *testing.T) {
	h := newHouse(t)
	access, userID := h.account("log@example.org")
	h.log.Reset()
	h.as(access, "GET", "/auth/me?token=canary-query", nil, "User-Agent", "canary-agent").want(http.StatusOK)
	line := h.logged()
	for key, want := range map[string]any{
		"level": "INFO", "method": "GET", "path": "/auth/me", "status": 200.0, "user_id": userID, "ip": "192.0.2.1",
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	h.do("POST", "/auth/login", url.Values{"username": {"log@example.org"}, "password": {"canary-password"}}).want(http.StatusUnauthorized)
	h.do("POST", "/auth/register", map[string]string{"email": "log@example.org", "password": "canary-password"}).want(http.StatusBadRequest)
	h.do("POST", "/auth/register", map[string]string{"email": "canary-mail", "password": "canary"}).want(http.StatusUnprocessableEntity)
	for _, secret := range []string{"canary", "good enough", "log@example.org", access} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, h.log)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	h := newHouse(t)
	big := `{"email":"` + strings.Repeat("a", maxOpenBody) + `"}`
	h.do("POST", "/auth/register", big).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	form := url.Values{"username": {strings.Repeat("a", maxOpenBody)}, "password": {"x"}}
	h.do("POST", "/auth/login", form).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")

	// A body that does not say how long it is is cut off while it is read.
	req, err := http.NewRequestWithContext(t.Context(), "POST", "/auth/register", struct{ *strings.Reader }{strings.NewReader(big)})
	if err != nil {
		t.Fatal(err)
	}
	req.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, req)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("without Content-Length: %d %s", w.Code, w.Body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/livez", "/nowhere", "/auth/me"} {
		got := h.do("GET", path, nil).header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
			"Strict-Transport-Security": "",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Get(name), want)
			}
		}
	}
	if got := h.do("GET", "https://kalami.example/livez", nil).header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no Strict-Transport-Security over TLS")
	}
}

func TestCrossOrigin(t *testing.T) {
	const ours, foreign = "https://app.example", "https://app.example.evil.example"
	h := newHouse(t, func(o *Options) { o.AllowedOrigins = []string{ours} })
	for origin, want := range map[string]string{ours: ours, foreign: "", "null": "", "https://APP.example": "", "http://app.example": ""} {
		r := h.do("OPTIONS", "/auth/me", nil, "Origin", origin, "Access-Control-Request-Method", "GET")
		if got := r.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("preflight from %s allows %q", origin, got)
		}
		r = h.do("GET", "/auth/me", nil, "Origin", origin)
		if got := r.header.Get("Access-Control-Allow-Origin"); got != want || r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: allowed origin %q, credentials %q", origin, got, r.header.Get("Access-Control-Allow-Credentials"))
		}
	}
	plain := newHouse(t)
	if got := plain.do("GET", "/livez", nil, "Origin", ours).header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("without configured origins %q is allowed", got)
	}
}

func TestNewRefuses(t *testing.T) {
	good := newHouse(t).options
	for name, change := range map[string]func(*Options){
		"Users": func(o *Options) { o.Users = nil }, "Profiles": func(o *Options) { o.Profiles = nil },
		"Tenants":       func(o *Options) { o.Tenants = nil },
		"Conversations": func(o *Options) { o.Conversations = nil }, "Once": func(o *Options) { o.Once = nil },
		"Host": func(o *Options) { o.Host = nil }, "Database": func(o *Options) { o.Database = nil },
		"Tokens": func(o *Options) { o.Tokens = nil }, "Passwords": func(o *Options) { o.Passwords = nil },
		"Log":                       func(o *Options) { o.Log = nil },
		`"*"`:                       func(o *Options) { o.AllowedOrigins = []string{"*"} },
		`"https://*.example"`:       func(o *Options) { o.AllowedOrigins = []string{"https://*.example"} },
		`"https://app.example/"`:    func(o *Options) { o.AllowedOrigins = []string{"https://app.example/"} },
		`"https://app.example:443"`: func(o *Options) { o.AllowedOrigins = []string{"https://app.example:443"} },
		`"https://App.example"`:     func(o *Options) { o.AllowedOrigins = []string{"https://App.example"} },
		`"app.example"`:             func(o *Options) { o.AllowedOrigins = []string{"app.example"} },
		`"https://bücher.example"`:  func(o *Options) { o.AllowedOrigins = []string{"https://bücher.example"} },
		`"https://u:p@app.example"`: func(o *Options) { o.AllowedOrigins = []string{"https://u:p@app.example"} },
		`"https://app.example?x=1"`: func(o *Options) { o.AllowedOrigins = []string{"https://app.example?x=1"} },
		`"file:///home/index.html"`: func(o *Options) { o.AllowedOrigins = []string{"file:///home/index.html"} },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServeAndShutdown(t *testing.T) {
	h := newHouse(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.server.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close() != nil || res.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d", res.StatusCode)
	}
	if err := h.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if !h.server.Draining() {
		t.Error("a server that was shut down still takes conversations")
	}
}

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		trusted     []netip.Prefix
		peer, xff   string
		want        string
		proto, sock string
	}{
		"direct":                    {nil, "203.0.113.9:1", "", "203.0.113.9", "", "ws"},
		"spoofed, no proxies":       {nil, "203.0.113.9:1", "1.2.3.4", "203.0.113.9", "https", "ws"},
		"spoofed from loopback":     {nil, "127.0.0.1:1", "1.2.3.4", "127.0.0.1", "https", "ws"},
		"spoofed past the proxy":    {trusted, "203.0.113.9:1", "1.2.3.4", "203.0.113.9", "https", "ws"},
		"private is not trusted":    {trusted, "192.168.1.1:1", "1.2.3.4", "192.168.1.1", "https", "ws"},
		"through the proxy":         {trusted, "10.1.2.3:1", "198.51.100.7", "198.51.100.7", "https", "wss"},
		"through two proxies":       {trusted, "10.1.2.3:1", "198.51.100.7, 10.1.9.9", "198.51.100.7", "http", "ws"},
		"client forges a hop":       {trusted, "10.1.2.3:1", "1.2.3.4, 198.51.100.7", "198.51.100.7", "HTTPS", "wss"},
		"proxy sends no header":     {trusted, "10.1.2.3:1", "", "10.1.2.3", "", "ws"},
		"proxy sends nonsense":      {trusted, "10.1.2.3:1", "unknown", "10.1.2.3", "", "ws"},
		"IPv6 proxy":                {trusted, "[fd00::1]:1", "2001:db8::5", "2001:db8::5", "https", "wss"},
		"IPv4 in IPv6 as the proxy": {trusted, "[::ffff:10.1.2.3]:1", "198.51.100.7", "198.51.100.7", "https", "wss"},
	} {
		p := proxies{trusted: c.trusted}
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}, Host: "kalami.example:8443"}
		if c.xff != "" {
			r.Header.Set("X-Forwarded-For", c.xff)
		}
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if got := p.clientIP()(r); got != c.want {
			t.Errorf("%s: client %s, want %s", name, got, c.want)
		}
		if got, want := p.socketURL(r, "/v1/voice"), c.sock+"://kalami.example:8443/v1/voice"; got != want {
			t.Errorf("%s: socket %s, want %s", name, got, want)
		}
	}
}
