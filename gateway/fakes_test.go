package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// memory is a store in memory: every port that keeps something.
type memory struct {
	mu            sync.Mutex
	users         map[string]learn.User
	profiles      map[string]learn.Profile
	conversations map[string]learn.Conversation
	once          map[string]onceEntry
	down          error // what every call fails with, when it is set
	ids           int
}

type onceEntry struct {
	value []byte
	until time.Time
}

func newMemory() *memory {
	return &memory{
		users: map[string]learn.User{}, profiles: map[string]learn.Profile{},
		conversations: map[string]learn.Conversation{}, once: map[string]onceEntry{},
	}
}

// id numbers everything that is stored, so that ids sort by age. m.mu is held.
func (m *memory) id(kind string) string {
	m.ids++
	return fmt.Sprintf("%s-%03d", kind, m.ids)
}

func (m *memory) CreateUser(_ context.Context, u learn.User) (learn.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return learn.User{}, m.down
	}
	for _, other := range m.users {
		if u.Email != "" && strings.EqualFold(other.Email, u.Email) {
			return learn.User{}, learn.Errorf(learn.Conflict, "memory.CreateUser", "e-mail is taken")
		}
	}
	u.ID, u.CreatedAt = m.id("user"), time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	m.users[u.ID] = u
	return u, nil
}

func (m *memory) UserByEmail(_ context.Context, email string) (learn.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.users {
		if m.down == nil && strings.EqualFold(u.Email, email) {
			return u, nil
		}
	}
	return learn.User{}, cmp.Or(m.down, error(learn.Errorf(learn.NotFound, "memory.UserByEmail", "no such user")))
}

func (m *memory) UserByID(_ context.Context, id string) (learn.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u, ok := m.users[id]; ok && m.down == nil {
		return u, nil
	}
	return learn.User{}, cmp.Or(m.down, error(learn.Errorf(learn.NotFound, "memory.UserByID", "no such user")))
}

func (m *memory) SetPassword(_ context.Context, userID, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[userID]
	u.HashedPassword = hash
	m.users[userID] = u
	return m.down
}

func (m *memory) CreateProfile(_ context.Context, p learn.Profile) (learn.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.profiles {
		if other.TenantID == p.TenantID && other.UserID == p.UserID && other.TargetLanguage == p.TargetLanguage {
			return learn.Profile{}, learn.Errorf(learn.Conflict, "memory.CreateProfile", "duplicate")
		}
	}
	p.ID = m.id("profile")
	m.profiles[p.ID] = p
	return p, m.down
}

func (m *memory) ListProfiles(_ context.Context, tenantID, userID string) ([]learn.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []learn.Profile
	for _, p := range m.profiles {
		if p.TenantID == tenantID && p.UserID == userID {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b learn.Profile) int { return cmp.Compare(a.ID, b.ID) })
	return out, m.down
}

func (m *memory) Profile(_ context.Context, tenantID, userID, id string) (learn.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.profiles[id]
	if !ok || p.TenantID != tenantID || p.UserID != userID {
		return learn.Profile{}, learn.Errorf(learn.NotFound, "memory.Profile", "row not found")
	}
	return p, m.down
}

func (m *memory) UpdateProfile(ctx context.Context, p learn.Profile) (learn.Profile, error) {
	if _, err := m.Profile(ctx, p.TenantID, p.UserID, p.ID); err != nil {
		return learn.Profile{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.profiles[p.ID] = p
	return p, nil
}

func (m *memory) DeleteProfile(ctx context.Context, tenantID, userID, id string) error {
	if _, err := m.Profile(ctx, tenantID, userID, id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.profiles, id)
	return nil
}

func (m *memory) StartConversation(_ context.Context, c learn.Conversation) (learn.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.ID, c.Epoch, c.NextSeq, c.Status = m.id("conversation"), 1, 1, "active"
	m.conversations[c.ID] = c
	return c, m.down
}

func (m *memory) Conversation(_ context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.conversations[id]
	if !ok || c.TenantID != tenantID || c.UserID != userID {
		return learn.Conversation{}, learn.Errorf(learn.NotFound, "memory.Conversation", "row not found")
	}
	return c, m.down
}

func (m *memory) TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	c, err := m.Conversation(ctx, tenantID, userID, id)
	if err != nil {
		return learn.Conversation{}, err
	}
	if c.EndedAt != nil {
		return learn.Conversation{}, learn.Errorf(learn.Conflict, "memory.TakeOver", "ended")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c.Epoch++
	m.conversations[id] = c
	return c, nil
}

func (m *memory) RecentMessages(context.Context, string, string, int) ([]learn.Message, error) {
	return nil, nil
}

func (m *memory) PutOnce(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return m.down
	}
	m.once[key] = onceEntry{value, time.Now().Add(ttl)}
	return nil
}

func (m *memory) TakeOnce(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.once[key]
	delete(m.once, key)
	if m.down != nil || !ok || !time.Now().Before(e.until) {
		return nil, false, m.down
	}
	return e.value, true, nil
}

func (m *memory) Ping(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.down
}

// fail makes every later call fail with err; nil mends the store.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

// plainPasswords "hashes" by a prefix, and counts.
type plainPasswords struct {
	mu             sync.Mutex
	prefix         string // of the present costs
	verified       []string
	hashed, busyAt int // busyAt: refuse as too busy from that many calls on; 0 never
}

func (p *plainPasswords) call(n int) error {
	if p.busyAt > 0 && n >= p.busyAt {
		return learn.Errorf(learn.TooMany, "plainPasswords", "Too many sign-ins at the moment, try again shortly")
	}
	return nil
}

func (p *plainPasswords) Hash(_ context.Context, password string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hashed++
	return p.prefix + password, p.call(p.hashed)
}

func (p *plainPasswords) Verify(_ context.Context, phc, password string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verified = append(p.verified, phc)
	_, plain, _ := strings.Cut(phc, ":")
	return phc != "" && plain == password, p.call(len(p.verified))
}

func (p *plainPasswords) NeedsRehash(phc string) bool { return !strings.HasPrefix(phc, p.prefix) }

// noHost refuses every conversation.
type noHost struct{}

func (noHost) Run(_ context.Context, conn session.Conn, _ session.Params) *session.End {
	end := &session.End{Reason: session.EndOverloaded}
	conn.Close(end)
	return end
}

// house is a server with everything around it.
type house struct {
	*testing.T
	server    *Server
	store     *memory
	passwords *plainPasswords
	log       *bytes.Buffer
	options   Options
}

// newHouse builds a server on fakes; change adapts its options.
func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	tokens, err := token.NewIssuer(token.Config{Key: []byte("a key for tests, 32 bytes or more")})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, store: newMemory(), passwords: &plainPasswords{prefix: "v2:"}, log: &bytes.Buffer{}}
	h.options = Options{
		Users: h.store, Profiles: h.store, Conversations: h.store, Once: h.store, Database: h.store,
		Host: noHost{}, Tokens: tokens, Passwords: h.passwords,
		Log:     slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version: "v0.0.0-test",
		Parts:   session.Parts{STT: "deepgram", LLM: "demo", TTS: "elevenlabs"},
	}
	for _, c := range change {
		c(&h.options)
	}
	if h.server, err = New(h.options); err != nil {
		t.Fatal(err)
	}
	return h
}

// reply is an answer, read.
type reply struct {
	*house
	code   int
	header http.Header
	body   []byte
}

// do sends a request; body may be nil, a string, url.Values (a form) or anything that
// becomes JSON. Headers come in pairs.
func (h *house) do(method, target string, body any, header ...string) reply {
	h.Helper()
	var r io.Reader
	contentType := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		r, contentType = strings.NewReader(b.Encode()), echo.MIMEApplicationForm
	case string:
		r, contentType = strings.NewReader(b), echo.MIMEApplicationJSON
	default:
		data, err := json.Marshal(b)
		if err != nil {
			h.Fatal(err)
		}
		r, contentType = bytes.NewReader(data), echo.MIMEApplicationJSON
	}
	req := httptest.NewRequestWithContext(h.Context(), method, target, r)
	if contentType != "" {
		req.Header.Set(echo.HeaderContentType, contentType)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, req)
	return reply{house: h, code: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// as is do with an access token.
func (h *house) as(accessToken, method, target string, body any, header ...string) reply {
	h.Helper()
	return h.do(method, target, body, append(header, echo.HeaderAuthorization, "Bearer "+accessToken)...)
}

// want fails the test unless the answer has this status.
func (r reply) want(status int) reply {
	r.Helper()
	if r.code != status {
		r.Fatalf("status %d, want %d: %s", r.code, status, r.body)
	}
	return r
}

// json reads the answer's object.
func (r reply) json() map[string]any {
	r.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		r.Fatalf("not a JSON object: %q", r.body)
	}
	return m
}

// refusal checks that the answer is an error of the one shape, and returns it.
func (r reply) refusal(status int, code string) errorBody {
	r.Helper()
	r.want(status)
	var e errorBody
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		r.Fatalf("not of the error shape: %s", r.body)
	}
	if e.Detail == "" || e.Code != code || e.RequestID != r.header.Get(echo.HeaderXRequestID) || e.RequestID == "" {
		r.Errorf("error %+v, want code %q, a detail and the request's id %q", e, code, r.header.Get(echo.HeaderXRequestID))
	}
	if got := r.header.Get(echo.HeaderWWWAuthenticate); (status == http.StatusUnauthorized) != (got == "Bearer") {
		r.Errorf("WWW-Authenticate %q with status %d", got, status)
	}
	return e
}

// invalid checks a 422 that names exactly these fields.
func (r reply) invalid(fields ...string) {
	r.Helper()
	e := r.refusal(http.StatusUnprocessableEntity, "invalid")
	got := make([]string, len(e.Errors))
	for i, fe := range e.Errors {
		got[i] = fe.Field
		if fe.Message == "" || !strings.Contains(e.Detail, fe.Field) {
			r.Errorf("field %q has message %q, and the detail is %q", fe.Field, fe.Message, e.Detail)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		r.Errorf("fields at fault %q, want %q: %s", got, fields, r.body)
	}
}

// logged reads the log's one line.
func (h *house) logged() map[string]any {
	h.Helper()
	var line map[string]any
	if err := json.Unmarshal(h.log.Bytes(), &line); err != nil {
		h.Fatalf("not one line of JSON: %s", h.log)
	}
	return line
}

// account registers somebody and signs in.
func (h *house) account(email string) (accessToken, userID string) {
	h.Helper()
	h.do("POST", "/auth/register", map[string]string{"email": email, "password": "good enough"}).want(http.StatusCreated)
	m := h.do("POST", "/auth/login", url.Values{"username": {email}, "password": {"good enough"}}).want(http.StatusOK).json()
	return m["access_token"].(string), m["user"].(map[string]any)["id"].(string)
}

// profileOf makes a profile through the API and returns its id.
func (h *house) profileOf(accessToken, language string) string {
	h.Helper()
	return h.as(accessToken, "POST", "/users/profiles", map[string]string{"target_language": language, "cefr_level": "B1"}).
		want(http.StatusCreated).json()["id"].(string)
}
