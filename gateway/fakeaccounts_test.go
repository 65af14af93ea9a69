package gateway

import (
	"context"
	"slices"
	"time"

	"kalami/session/learn"
)

// fakeRefresh is a refresh token in memory.
type fakeRefresh struct {
	learn.RefreshToken
	family int
	usedAt time.Time
	next   *fakeRefresh
}

// change applies f to a user and returns the user as it is then.
func (m *memory) change(op, userID string, f func(*learn.User) error) (learn.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return learn.User{}, m.down
	}
	u, ok := m.users[userID]
	if !ok {
		return learn.User{}, learn.Errorf(learn.NotFound, op, "no such user")
	}
	if err := f(&u); err != nil {
		return learn.User{}, err
	}
	m.users[userID] = u
	return u, nil
}

func (m *memory) UpdateUser(_ context.Context, u learn.User) (learn.User, error) {
	return m.change("memory.UpdateUser", u.ID, func(old *learn.User) error {
		old.Name, old.NativeLanguage, old.TimeZone, old.UILocale = u.Name, u.NativeLanguage, u.TimeZone, u.UILocale
		return nil
	})
}

func (m *memory) Rehash(_ context.Context, userID, old, hash string) error {
	_, err := m.change("memory.Rehash", userID, func(u *learn.User) error {
		if u.HashedPassword == old {
			u.HashedPassword = hash
		}
		return nil
	})
	return err
}

func (m *memory) ChangePassword(_ context.Context, userID string, version int, hash string) (learn.User, error) {
	return m.change("memory.ChangePassword", userID, func(u *learn.User) error {
		if u.TokenVersion != version {
			return learn.Errorf(learn.Conflict, "memory.ChangePassword", "The password was changed somewhere else")
		}
		u.HashedPassword = hash
		u.TokenVersion++
		return nil
	})
}

func (m *memory) EndSessions(_ context.Context, userID string) error {
	_, err := m.change("memory.EndSessions", userID, func(u *learn.User) error {
		u.TokenVersion++
		return nil
	})
	return err
}

func (m *memory) EraseUser(_ context.Context, userID string) error {
	_, err := m.change("memory.EraseUser", userID, func(*learn.User) error { return nil })
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.users, userID)
	return err
}

func (m *memory) StartFamily(_ context.Context, t learn.RefreshToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.users[t.UserID]; !ok && m.down == nil {
		return learn.Errorf(learn.NotFound, "memory.StartFamily", "no such user")
	}
	m.ids++
	m.refresh = append(m.refresh, &fakeRefresh{RefreshToken: t, family: m.ids})
	return m.down
}

// shown finds a refresh token whose family is good; m.mu is held.
func (m *memory) shown(hash string) *fakeRefresh {
	for _, t := range m.refresh {
		if t.Hash == hash && time.Now().Before(t.ExpiresAt) && m.users[t.UserID].TokenVersion == t.TokenVersion && m.users[t.UserID].ID != "" {
			return t
		}
	}
	return nil
}

func (m *memory) Rotate(_ context.Context, r learn.Rotation) (learn.Rotated, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.shown(r.Hash)
	if t == nil || m.down != nil {
		return learn.Rotated{}, m.down
	}
	u := m.users[t.UserID]
	switch {
	case t.next == nil:
		t.next = &fakeRefresh{RefreshToken: t.RefreshToken, family: t.family}
		t.next.Hash, t.next.ExpiresAt, t.usedAt = r.NextHash, time.Now().Add(r.Lifetime), time.Now()
		m.refresh = append(m.refresh, t.next)
		return learn.Rotated{Outcome: learn.Replaced, User: u, NextHash: t.next.Hash, ExpiresAt: t.next.ExpiresAt}, nil
	case time.Since(t.usedAt) <= learn.ReplayWindow:
		return learn.Rotated{Outcome: learn.Repeated, User: u, NextHash: t.next.Hash, ExpiresAt: t.next.ExpiresAt}, nil
	}
	m.end(t.family)
	return learn.Rotated{Outcome: learn.Reused, User: u}, nil
}

func (m *memory) EndFamily(_ context.Context, _, hash string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.shown(hash)
	if t == nil || m.down != nil {
		return "", m.down
	}
	m.end(t.family)
	return t.UserID, nil
}

func (m *memory) end(family int) {
	m.refresh = slices.DeleteFunc(m.refresh, func(t *fakeRefresh) bool { return t.family == family })
}

func (m *memory) PutMailToken(_ context.Context, t learn.MailToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mailed = append(m.mailed, t)
	return m.down
}

func (m *memory) MailTokenUser(_ context.Context, purpose learn.MailPurpose, hash string) (learn.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.mailed {
		if t.Purpose == purpose && t.Hash == hash && time.Now().Before(t.ExpiresAt) {
			return m.users[t.UserID], m.down
		}
	}
	return learn.User{}, learn.Errorf(learn.NotFound, "memory.MailTokenUser", "no such token")
}

func (m *memory) use(purpose learn.MailPurpose, hash string, f func(*learn.User) error) (learn.User, error) {
	u, err := m.MailTokenUser(context.Background(), purpose, hash)
	if err != nil {
		return u, err
	}
	m.mu.Lock()
	m.mailed = slices.DeleteFunc(m.mailed, func(t learn.MailToken) bool { return t.UserID == u.ID && t.Purpose == purpose })
	m.mu.Unlock()
	return m.change("memory.use", u.ID, f)
}

func (m *memory) VerifyEmail(_ context.Context, hash string) (learn.User, error) {
	return m.use(learn.MailVerify, hash, func(u *learn.User) error {
		u.EmailVerified = true
		return nil
	})
}

func (m *memory) ResetPassword(_ context.Context, hash, passwordHash string) (learn.User, error) {
	return m.use(learn.MailReset, hash, func(u *learn.User) error {
		u.EmailVerified, u.HashedPassword = true, passwordHash
		u.TokenVersion++
		return nil
	})
}
