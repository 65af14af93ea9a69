package session

import (
	"sync"
	"time"
)

const (
	// translationsKept is how many translations a node remembers, the latest, and
	// translationLife for how long.
	translationsKept = 1024
	translationLife  = time.Hour
)

// translationKey is what a translation was asked for, and by whom: nobody is answered with
// what somebody else has asked.
type translationKey struct{ owner, from, to, text string }

// translations remembers. The zero value is ready; it may be used from any goroutine.
type translations struct {
	mu     sync.Mutex
	of     map[translationKey]string
	oldest []keptTranslation // first
}

type keptTranslation struct {
	key   translationKey
	until time.Time
}

// get looks one up.
func (t *translations) get(key translationKey, now time.Time) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	text, ok := t.of[key]
	return text, ok
}

// put remembers one. One that is there stays as long as it would.
func (t *translations) put(key translationKey, text string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	if _, there := t.of[key]; there {
		return
	}
	if len(t.oldest) == translationsKept {
		t.drop()
	}
	if t.of == nil {
		t.of = map[translationKey]string{}
	}
	t.of[key], t.oldest = text, append(t.oldest, keptTranslation{key, now.Add(translationLife)})
}

// forget drops those whose time is over; the lock is held.
func (t *translations) forget(now time.Time) {
	for len(t.oldest) > 0 && !now.Before(t.oldest[0].until) {
		t.drop()
	}
}

// drop drops the oldest; the lock is held.
func (t *translations) drop() {
	delete(t.of, t.oldest[0].key)
	t.oldest[0] = keptTranslation{}
	t.oldest = t.oldest[1:]
}
