package gateway

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session/learn"
)

func TestRegisterRefuses(t *testing.T) {
	h := newHouse(t)
	h.account("taken@example.org")
	for name, c := range map[string]struct {
		body   string
		fields []string
	}{
		"nothing":                  {"", []string{"body"}},
		"not JSON":                 {"email=x", []string{"body"}},
		"half JSON":                {`{"email":"a@b.example"`, []string{"body"}},
		"two objects":              {`{} {}`, []string{"body"}},
		"an array":                 {`[]`, []string{"body"}},
		"a string":                 {`"x"`, []string{"body"}},
		"not UTF-8":                {"{\"name\":\"\xff\"}", []string{"body"}},
		"null":                     {`null`, []string{"email", "password"}},
		"an empty object":          {`{}`, []string{"email", "password"}},
		"nulls":                    {`{"email":null,"password":null}`, []string{"email", "password"}},
		"email a number":           {`{"email":7}`, []string{"email"}},
		"password an object":       {`{"email":"a@b.example","password":{}}`, []string{"password"}},
		"name a list":              {`{"email":"a@b.example","password":"good enough","name":[]}`, []string{"name"}},
		"email malformed":          {`{"email":"ana","password":"good enough"}`, []string{"email"}},
		"password short":           {`{"email":"a@b.example","password":"1234567"}`, []string{"password"}},
		"password common":          {`{"email":"a@b.example","password":"Password1"}`, []string{"password"}},
		"password is the e-mail":   {`{"email":"a@b.example","password":"A@b.example"}`, []string{"password"}},
		"password long":            {`{"email":"a@b.example","password":"` + strings.Repeat("x", 129) + `"}`, []string{"password"}},
		"language a word":          {`{"email":"a@b.example","password":"good enough","native_language":"english"}`, []string{"native_language"}},
		"language empty":           {`{"email":"a@b.example","password":"good enough","native_language":""}`, []string{"native_language"}},
		"name with a NUL":          {`{"email":"a@b.example","password":"good enough","name":"a\u0000b"}`, []string{"name"}},
		"name long":                {`{"email":"a@b.example","password":"good enough","name":"` + strings.Repeat("ñ", 101) + `"}`, []string{"name"}},
		"everything wrong at once": {`{"email":"x","password":"x","native_language":"1","name":"\n\t\u0007x"}`, []string{"email", "password", "native_language", "name"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.T = t
			h.do("POST", "/auth/register", c.body, echo.HeaderContentType, echo.MIMEApplicationJSON).invalid(c.fields...)
		})
	}
	if h.passwords.hashed != 1 {
		t.Errorf("%d passwords were hashed, and only one was good", h.passwords.hashed)
	}
	for _, taken := range []string{"taken@example.org", "TAKEN@example.org", " taken@Example.ORG "} {
		e := h.do("POST", "/auth/register", map[string]string{"email": taken, "password": "good enough"}).
			refusal(http.StatusBadRequest, "email_taken")
		if e.Detail != "Email already registered" {
			t.Errorf("detail %q", e.Detail)
		}
	}
}

func TestParseEmail(t *testing.T) {
	for in, want := range map[string]string{
		"ana@example.org":                            "ana@example.org",
		"Ana.B+kalami@Mail.Example.ORG":              "Ana.B+kalami@mail.example.org",
		"o'hara@example.org":                         "o'hara@example.org",
		"用户@例え.jp":                                   "用户@例え.jp",
		strings.Repeat("a", 64) + "@example.org":     strings.Repeat("a", 64) + "@example.org",
		strings.Repeat("a", 65) + "@example.org":     "",
		"a@" + strings.Repeat("b.", 130) + "example": "",
		"ana":                       "",
		"ana@":                      "",
		"@example.org":              "",
		"ana@localhost":             "",
		"ana@example..org":          "",
		"ana@-example.org":          "",
		"ana@example-.org":          "",
		"ana@exa mple.org":          "",
		"ana@exa_mple.org":          "",
		"ana@[127.0.0.1]":           "",
		"Ana <ana@example.org>":     "",
		"ana@example.org, b@c.org":  "",
		`"ana b"@example.org`:       "",
		"ana@example.org\n":         "",
		"ana@example.org\x00":       "",
		"ana(comment)@example.org":  "",
		"ana@@example.org":          "",
		"ana@example.org\r\nBcc: x": "",

		// One address, however Unicode spells it, and none that only looks like another.
		"\uff41na@example.org":      "ana@example.org", // full-width a
		"\u212aim@example.org":      "Kim@example.org", // the sign for kelvin
		"jose\u0301@example.org":    "jos\u00e9@example.org",
		"ana@\uff45xample.org":      "ana@example.org",
		"a\u200bna@example.org":     "",
		"ana@e\u200bxample.org":     "",
		"ana@example.org\u202e":     "",
		"a\u00adna@example.org":     "", // soft hyphen
		"a\u00a0na@example.org":     "",
		"\ue000na@example.org":      "", // private use
		"\u0130an@example.org":      "", // its lower case is i
		"ana@example.org\U000e0041": "", // a tag
		"ana\u3164@example.org":     "", // a letter that is blank
		"ana\ufe0f@example.org":     "", // a variation selector
	} {
		got, ok := parseEmail(in)
		if got != want || ok != (want != "") {
			t.Errorf("parseEmail(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestLoginForms(t *testing.T) {
	h := newHouse(t)
	h.account("ana@example.org")

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"username": "ana@example.org", "password": "good enough", "grant_type": "password"} {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	h.do("POST", "/auth/login", body.String(), echo.HeaderContentType, form.FormDataContentType()).want(http.StatusOK)

	h.do("POST", "/auth/login", url.Values{}).invalid("username", "password")
	h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {""}}).invalid("password")
	h.do("POST", "/auth/login", map[string]string{"username": "ana@example.org", "password": "good enough"}).
		refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
	h.do("POST", "/auth/login?username=ana@example.org&password=good+enough", url.Values{"x": {"y"}}).
		invalid("username", "password")
	h.do("POST", "/auth/login", "username=%zz", echo.HeaderContentType, echo.MIMEApplicationForm).
		refusal(http.StatusUnprocessableEntity, "invalid")
	h.do("POST", "/auth/login", "no boundary", echo.HeaderContentType, echo.MIMEMultipartForm).
		refusal(http.StatusUnprocessableEntity, "invalid")
}

// A wrong password, an unknown account, a guest's missing password and a name that is
// no address at all are answered alike, each after exactly one verification.
func TestLoginTellsNothing(t *testing.T) {
	h := newHouse(t)
	h.account("known@example.org")
	h.do("POST", "/auth/guest", nil).want(http.StatusOK)
	h.passwords.verified = nil
	var first string
	for _, username := range []string{"known@example.org", "unknown@example.org", "not an address", "nul\x00@example.org"} {
		r := h.do("POST", "/auth/login", url.Values{"username": {username}, "password": {"wrong password"}}, echo.HeaderXRequestID, "same")
		if e := r.refusal(http.StatusUnauthorized, "unauthorized"); e.Detail != "Invalid email or password" {
			t.Errorf("detail %q", e.Detail)
		}
		if first == "" {
			first = string(r.body)
		}
		if string(r.body) != first {
			t.Errorf("%q is answered %s, a known account %s", username, r.body, first)
		}
	}
	if want := []string{"v2:good enough", "", "", ""}; strings.Join(h.passwords.verified, ",") != strings.Join(want, ",") {
		t.Errorf("verified against %q, want %q", h.passwords.verified, want)
	}
}

// The parameters have risen since the password was hashed: a login stores it anew, and
// a machine too busy for that lets the learner in all the same.
func TestLoginRehashes(t *testing.T) {
	h := newHouse(t)
	_, id := h.account("old@example.org")
	h.passwords.prefix = "v3:"
	form := url.Values{"username": {"old@example.org"}, "password": {"good enough"}}

	h.passwords.busyAt, h.passwords.verified = h.passwords.hashed+1, nil
	h.do("POST", "/auth/login", form).want(http.StatusOK)
	if got := h.store.users[id].HashedPassword; got != "v2:good enough" {
		t.Errorf("while busy: %q", got)
	}
	h.passwords.busyAt = 0
	h.do("POST", "/auth/login", form).want(http.StatusOK)
	if got := h.store.users[id].HashedPassword; got != "v3:good enough" {
		t.Errorf("afterwards: %q", got)
	}
	hashed := h.passwords.hashed
	h.do("POST", "/auth/login", form).want(http.StatusOK)
	if h.passwords.hashed != hashed {
		t.Error("a fresh hash was made again")
	}
}

// The same with real hashes, of costs that a test can bear.
func TestLoginWithRealHashes(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Passwords = token.NewHasher(token.Params{MemoryKiB: 64, Time: 1, Parallelism: 1})
	})
	_, id := h.account("ana@example.org")
	if got := h.store.users[id].HashedPassword; !strings.HasPrefix(got, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored %q", got)
	}
	for _, username := range []string{"ana@example.org", "nobody@example.org"} {
		h.do("POST", "/auth/login", url.Values{"username": {username}, "password": {"another one"}}).
			refusal(http.StatusUnauthorized, "unauthorized")
	}
}

func TestLoginFlood(t *testing.T) {
	h := newHouse(t)
	h.passwords.busyAt = 1
	r := h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"good enough"}})
	r.refusal(http.StatusTooManyRequests, "too_many_requests")
	if r.header.Get(echo.HeaderRetryAfter) != "1" {
		t.Errorf("Retry-After %q", r.header.Get(echo.HeaderRetryAfter))
	}
	h.store.fail(errors.New("disk"))
	h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"good enough"}}).
		refusal(http.StatusInternalServerError, "internal")
}

func TestGuest(t *testing.T) {
	h := newHouse(t)
	for body, want := range map[string][2]string{
		"":                         {"en", ""},
		"{}":                       {"en", ""},
		`{"native_language":"ja"}`: {"ja", ""},
		`{"name":"  Bo  "}`:        {"en", "Bo"},
	} {
		m := h.do("POST", "/auth/guest", body).want(http.StatusOK).json()
		user := m["user"].(map[string]any)
		if user["guest"] != true || user["email"] != nil || user["native_language"] != want[0] || user["name"] != want[1] {
			t.Errorf("%q made %v", body, user)
		}
		me := h.as(m["access_token"].(string), "GET", "/auth/me", nil).want(http.StatusOK).json()
		if me["id"] != user["id"] {
			t.Errorf("signed in as %v, is %v", user["id"], me["id"])
		}
	}
	h.do("POST", "/auth/guest", `{"name":5}`).invalid("name")
	h.do("POST", "/auth/guest", `{"native_language":"?"}`).invalid("native_language")

	closed := newHouse(t, func(o *Options) { o.NoGuests = true })
	closed.do("POST", "/auth/guest", nil).refusal(http.StatusForbidden, "guests_off")
}

func TestAuthorizationHeader(t *testing.T) {
	h := newHouse(t)
	access, id := h.account("ana@example.org")
	h.do("GET", "/auth/me", nil, "Authorization", "bearer  "+access).want(http.StatusOK)
	for name, c := range map[string]struct{ value, detail string }{
		"none":          {"", "Not authenticated"},
		"basic":         {"Basic YTpi", "Not authenticated"},
		"token alone":   {access, "Not authenticated"},
		"no token":      {"Bearer", "Could not validate credentials"},
		"forged":        {"Bearer " + access[:len(access)-2] + "AA", "Could not validate credentials"},
		"with a suffix": {"Bearer " + access + " x", "Could not validate credentials"},
		"huge":          {"Bearer " + strings.Repeat("a", 10_000), "Could not validate credentials"},
	} {
		if e := h.do("GET", "/auth/me", nil, "Authorization", c.value).refusal(http.StatusUnauthorized, "unauthorized"); e.Detail != c.detail {
			t.Errorf("%s: %q, want %q", name, e.Detail, c.detail)
		}
	}
	h.do("GET", "/auth/me?token="+access+"&access_token="+access, nil).refusal(http.StatusUnauthorized, "unauthorized")
	twice := httptest.NewRequestWithContext(t.Context(), "GET", "/auth/me", nil)
	twice.Header["Authorization"] = []string{"Bearer " + access, "Bearer " + access}
	w := httptest.NewRecorder()
	if h.server.ServeHTTP(w, twice); w.Code != http.StatusUnauthorized {
		t.Errorf("two headers: %d", w.Code)
	}

	expired, _, err := h.options.Tokens.Issue(id, learn.PersonalTenant, 0, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	h.as(expired, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")
	nobody, _, err := h.options.Tokens.Issue("user-999", learn.PersonalTenant, 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h.as(nobody, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")

	// All sessions of the user are ended: tokens from before are worth nothing.
	u := h.store.users[id]
	u.TokenVersion++
	h.store.users[id] = u
	h.as(access, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")

	h.store.fail(learn.Errorf(learn.Unavailable, "memory", "The database does not answer"))
	h.as(access, "GET", "/auth/me", nil).refusal(http.StatusServiceUnavailable, "unavailable")
}

// FuzzParseEmail looks for addresses that pass and are not one plain address.
func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ana@example.org", "Ana <a@b.c>", `"a b"@c.d`, "a@[::1]", "@", "a@b.c\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseEmail(s)
		if !ok {
			return
		}
		if strings.Count(got, "@") != 1 || strings.ContainsAny(got, " \r\n\t\x00<>,;:\"\\") || len(got) > 2*maxEmail {
			t.Errorf("%q became %q", s, got)
		}
		if again, ok := parseEmail(got); !ok || again != got {
			t.Errorf("%q became %q and then %q, %v", s, got, again, ok)
		}
	})
}
