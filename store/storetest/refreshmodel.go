package storetest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
	"kalami/store"
)

// RefreshSequences runs n random sequences of what a phone, a thief with copies of its
// tokens, and time can do to the refresh tokens of one user, and compares each outcome
// with a model. The options must take the clock from now; n is rounded up to hundreds.
func RefreshSequences(t *testing.T, db *store.DB, at *time.Time, n int) {
	t.Helper()
	ana := NewLearner(t, db, "ana").User
	names := 0
	acts := map[string]func(*refreshModel, *rapid.T){
		"sign in": (*refreshModel).signIn, "sign out": (*refreshModel).signOut, "sign out everywhere": (*refreshModel).everywhere,
		"go on": (*refreshModel).latest, "ask again": (*refreshModel).repeat, "show any": (*refreshModel).show, "wait": (*refreshModel).wait,
	}
	// What phones do all day comes more often than what ends it.
	often := []string{"go on", "go on", "go on", "ask again", "ask again", "show any", "show any", "wait", "wait", "wait",
		"sign in", "sign out", "sign out everywhere"}
	for done := 0; done < n; done += 100 { // rapid's own count
		rapid.Check(t, func(t *rapid.T) {
			must2(t, db.EndSessions(t.Context(), ana.ID)) // what other sequences left
			user, err := db.UserByID(t.Context(), ana.ID)
			must2(t, err)
			m := &refreshModel{db: db, at: at, user: user, names: &names, parts: map[string]*modelToken{}}
			m.signIn(t)
			for _, act := range rapid.SliceOfN(rapid.SampledFrom(often), 4, 16).Draw(t, "acts") {
				acts[act](m, t)
			}
		})
	}
}

// refreshModel is what refresh tokens are to do: the whole rule, without a database.
type refreshModel struct {
	db    *store.DB
	at    *time.Time
	user  learn.User
	names *int
	order []string // of all tokens issued, whoever holds copies of them
	parts map[string]*modelToken
}

type modelToken struct {
	family  *bool // whether it is alive
	usedAt  time.Time
	next    string
	expires time.Time
}

// outcome is the rule.
func (m *refreshModel) outcome(name string) learn.RotationOutcome {
	switch t := m.parts[name]; {
	case !*t.family || !m.at.Before(t.expires):
		return learn.Refused
	case t.usedAt.IsZero():
		return learn.Replaced
	case m.at.Sub(t.usedAt) <= 10*time.Second:
		return learn.Repeated
	default:
		return learn.Reused
	}
}

func (m *refreshModel) issue(family *bool) string {
	*m.names++
	name := fmt.Sprintf("token %d", *m.names)
	m.parts[name] = &modelToken{family: family, expires: m.at.Add(month)}
	m.order = append(m.order, name)
	return name
}

func (m *refreshModel) signIn(t *rapid.T) {
	alive := true
	name := m.issue(&alive)
	must2(t, m.db.StartFamily(t.Context(), learn.RefreshToken{TenantID: learn.PersonalTenant, UserID: m.user.ID,
		TokenVersion: m.user.TokenVersion, Hash: name, ExpiresAt: m.at.Add(month)}))
}

// show is whoever has a copy of any token that was ever issued.
func (m *refreshModel) show(t *rapid.T) { m.present(t, rapid.SampledFrom(m.order).Draw(t, "token")) }

// latest is the phone with its present token.
func (m *refreshModel) latest(t *rapid.T) { m.present(t, m.order[len(m.order)-1]) }

// repeat shows the token that was used last again, as when an answer was lost.
func (m *refreshModel) repeat(t *rapid.T) {
	last := m.order[0]
	for _, name := range m.order {
		if m.parts[name].usedAt.After(m.parts[last].usedAt) {
			last = name
		}
	}
	m.present(t, last)
}

func (m *refreshModel) present(t *rapid.T, name string) {
	want := m.outcome(name)
	token := m.parts[name]
	proposal := fmt.Sprintf("proposal %d", *m.names)
	if want == learn.Replaced {
		token.usedAt, token.next = *m.at, m.issue(token.family)
		proposal = token.next
	}
	if want == learn.Reused {
		*token.family = false
	}
	got, err := m.db.Rotate(t.Context(), learn.Rotation{TenantID: learn.PersonalTenant, Hash: name, NextHash: proposal, Lifetime: month})
	must2(t, err)
	wantNext := ""
	if want == learn.Replaced || want == learn.Repeated {
		wantNext = token.next
	}
	if got.Outcome != want || got.NextHash != wantNext {
		t.Fatalf("%s: outcome %d with %q, want %d with %q", name, got.Outcome, got.NextHash, want, wantNext)
	}
}

func (m *refreshModel) signOut(t *rapid.T) {
	name := rapid.SampledFrom(m.order).Draw(t, "token")
	whose, err := m.db.EndFamily(t.Context(), learn.PersonalTenant, name)
	must2(t, err)
	want := ""
	if token := m.parts[name]; *token.family && m.at.Before(token.expires) {
		*token.family, want = false, m.user.ID
	}
	if whose != want {
		t.Fatalf("signing out with %s ended a family of %q, want %q", name, whose, want)
	}
}

func (m *refreshModel) everywhere(t *rapid.T) {
	must2(t, m.db.EndSessions(t.Context(), m.user.ID))
	m.user.TokenVersion++
	for _, token := range m.parts {
		*token.family = false
	}
}

// wait lets time pass: within the window, beyond it, or until tokens end.
func (m *refreshModel) wait(t *rapid.T) {
	*m.at = m.at.Add(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, 11 * time.Second, month / 2, month}).Draw(t, "time"))
}

func must2(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testRefreshModel(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return at }
	RefreshSequences(t, Open(t, o), &at, 100)
}
