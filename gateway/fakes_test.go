package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// memory is a store in memory: every port that keeps something.
type memory struct {
	mu            sync.Mutex
	users         map[string]learn.User
	profiles      map[string]learn.Profile
	conversations map[string]learn.Conversation
	messages      map[string][]learn.Message    // by conversation
	corrections   map[string][]learn.Correction // by message
	judgements    map[string]learn.CorrectionStatus
	statistics    map[string]learn.Statistics // by tenant/user
	reports       map[string]learn.Summary    // by conversation
	unreported    bool                        // what is told is still to come
	progress      learn.ErrorProgress         // of everybody; see fakes_progress_test.go
	vocabulary    learn.VocabularyProgress
	asked         learn.ProgressQuery
	syncing       syncing
	once          map[string]onceEntry
	refresh       []*fakeRefresh
	mailed        []learn.MailToken
	tenant        learn.TenantSettings
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
		messages: map[string][]learn.Message{}, corrections: map[string][]learn.Correction{},
		judgements: map[string]learn.CorrectionStatus{},
		statistics: map[string]learn.Statistics{},
	}
}

func (m *memory) TenantSettings(context.Context, string) (learn.TenantSettings, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tenant, m.down
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
	if m.down != nil {
		return learn.Conversation{}, m.down
	}
	p, ok := m.profiles[c.ProfileID]
	if !ok || p.TenantID != c.TenantID || p.UserID != c.UserID {
		return learn.Conversation{}, learn.Errorf(learn.NotFound, "memory.StartConversation", "no such profile")
	}
	for _, other := range m.conversations {
		if c.ClientKey != "" && other.ClientKey == c.ClientKey && other.UserID == c.UserID {
			return other, nil
		}
	}
	m.ids++
	c.ID = cmp.Or(c.ID, fmt.Sprintf("00000000-0000-7000-8000-%012d", m.ids))
	c.Epoch, c.NextSeq, c.Status = 1, 1, "active"
	c.Language, c.Level = p.TargetLanguage, cmp.Or(c.Level, p.Level)
	if c.StartedAt.IsZero() {
		c.StartedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	}
	c.LastActivityAt = c.StartedAt
	m.conversations[c.ID] = c
	return c, m.down
}

func (m *memory) Conversation(_ context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return learn.Conversation{}, m.down
	}
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
