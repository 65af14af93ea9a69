package gateway

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// signInModel is what tokens are to do, without hashes, keys or a store.
type signInModel struct {
	h      *house
	random *rand.Rand
	story  []string
	// tokens are all refresh tokens that were ever given out; anybody may have a copy.
	tokens []*modelRefresh
	// access are all access tokens, and version what the user's sessions are at.
	access  []modelAccess
	version int
}

type modelRefresh struct {
	raw     string
	family  *bool // alive
	usedAt  time.Time
	next    *modelRefresh
	expires time.Time
}

type modelAccess struct {
	raw     string
	version int
	expires time.Time
}

func newSignInModel(h *house, seed uint64) *signInModel {
	return &signInModel{h: h, random: rand.New(rand.NewPCG(seed, 1))}
}

// step does one random thing and says how its outcome differs from what it should be.
func (m *signInModel) step() error {
	acts := []struct {
		name string
		does func() error
	}{
		{"sign in", m.signIn}, {"go on", m.latest}, {"go on", m.latest}, {"show any", m.showAny}, {"show any", m.showAny},
		{"ask again", m.askAgain}, {"wait", m.wait}, {"wait", m.wait}, {"use", m.use}, {"use", m.use},
		{"sign out", m.signOut}, {"sign out everywhere", m.everywhere},
	}
	act := acts[m.random.IntN(len(acts))]
	if len(m.tokens) == 0 {
		act = acts[0]
	}
	m.story = append(m.story, act.name)
	return act.does()
}

func (m *signInModel) signIn() error {
	alive := true
	return m.given(m.h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"good enough"}}), &alive, nil)
}

// given takes an answer with tokens: new ones, or when again is not nil, that one again.
func (m *signInModel) given(r reply, family *bool, again *modelRefresh) error {
	if r.code != http.StatusOK {
		return fmt.Errorf("status %d: %s", r.code, r.body)
	}
	held := r.tokens()
	m.access = append(m.access, modelAccess{held.access, m.version, time.Now().Add(30 * time.Minute)})
	if again == nil {
		m.tokens = append(m.tokens, &modelRefresh{raw: held.refresh, family: family, expires: time.Now().Add(30 * 24 * time.Hour)})
		return nil
	}
	if held.refresh != again.raw {
		return fmt.Errorf("another token than before")
	}
	return nil
}

func (m *signInModel) latest() error   { return m.show(m.tokens[len(m.tokens)-1]) }
func (m *signInModel) showAny() error  { return m.show(m.tokens[m.random.IntN(len(m.tokens))]) }
func (m *signInModel) askAgain() error { return m.show(m.lastUsed()) }

func (m *signInModel) lastUsed() *modelRefresh {
	last := m.tokens[0]
	for _, t := range m.tokens {
		if t.usedAt.After(last.usedAt) {
			last = t
		}
	}
	return last
}

// show is the rule.
func (m *signInModel) show(t *modelRefresh) error {
	r := m.h.renew(t.raw)
	alive := *t.family && time.Now().Before(t.expires)
	switch {
	case alive && t.next == nil:
		if err := m.given(r, t.family, nil); err != nil {
			return err
		}
		t.usedAt, t.next = time.Now(), m.tokens[len(m.tokens)-1]
		return nil
	case alive && time.Since(t.usedAt) <= 10*time.Second:
		return m.given(r, t.family, t.next)
	case alive:
		*t.family = false
	}
	return refused(r)
}

func refused(r reply) error {
	if r.code != http.StatusUnauthorized {
		return fmt.Errorf("status %d, want 401: %s", r.code, r.body)
	}
	return nil
}

func (m *signInModel) signOut() error {
	t := m.tokens[m.random.IntN(len(m.tokens))]
	if time.Now().Before(t.expires) {
		*t.family = false
	}
	if r := m.h.do("POST", "/auth/logout", map[string]string{"refresh_token": t.raw}); r.code != http.StatusNoContent {
		return fmt.Errorf("status %d: %s", r.code, r.body)
	}
	return nil
}

// good says whether an access token is.
func (m *signInModel) good(a modelAccess) bool {
	return a.version == m.version && time.Now().Before(a.expires.Add(30*time.Second)) // and the leeway
}

// use shows an access token.
func (m *signInModel) use() error {
	a := m.access[m.random.IntN(len(m.access))]
	want := http.StatusUnauthorized
	if m.good(a) {
		want = http.StatusOK
	}
	if r := m.h.as(a.raw, "GET", "/auth/me", nil); r.code != want {
		return fmt.Errorf("access token: status %d, want %d", r.code, want)
	}
	return nil
}

func (m *signInModel) everywhere() error {
	a := m.access[len(m.access)-1]
	r := m.h.as(a.raw, "POST", "/auth/logout-all", nil)
	if !m.good(a) {
		return refused(r)
	}
	if r.code != http.StatusNoContent {
		return fmt.Errorf("status %d: %s", r.code, r.body)
	}
	m.version++
	for _, t := range m.tokens {
		*t.family = false
	}
	return nil
}

func (m *signInModel) wait() error {
	times := []time.Duration{time.Second, 10 * time.Second, 11 * time.Second, 31 * time.Minute, 15 * 24 * time.Hour, 30 * 24 * time.Hour}
	time.Sleep(times[m.random.IntN(len(times))])
	return nil
}
