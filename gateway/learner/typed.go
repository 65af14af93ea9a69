package learner

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"

	"kalami/session"
)

// typedMost is how many typed messages may wait to be confirmed.
const typedMost = 32

// ErrUnconfirmed says that too many typed messages wait to be confirmed.
var ErrUnconfirmed = errors.New("learner: too many typed messages are not confirmed yet")

// typed keeps typed messages until the server has named them, to say them again on the next
// socket: what is sent on one that is about to be left may reach nobody. The server tells
// them by their ids, so that each counts once. Those that were not named when a session broke
// down (1011) are given up: they may be why, and would break it again.
type typed struct {
	mu    sync.Mutex // guards items; the lesson's may be held
	items []session.CreateItem
}

// add keeps a message, giving it an id if it has none.
func (t *typed) add(item session.CreateItem) (session.CreateItem, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.items) == typedMost {
		return item, ErrUnconfirmed
	}
	if item.ID == "" {
		item.ID = "it_" + rand.Text()
	}
	t.items = append(t.items, item)
	return item, nil
}

// confirm forgets the messages that an event names.
func (t *typed) confirm(ev session.Event) {
	switch e := ev.(type) {
	case session.ItemAdded:
		t.forget(e.Item.ID)
	case session.ItemDone:
		t.forget(e.Item.ID)
	case session.Failure:
		t.forget(e.Error.EventID)
	case session.Restarted:
		for _, item := range e.Items {
			t.forget(item.ID)
		}
	}
}

func (t *typed) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.items = slices.DeleteFunc(t.items, func(i session.CreateItem) bool { return i.ID == id })
}

// giveUp forgets all.
func (t *typed) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.items = nil
}

// waiting are the messages that nobody has confirmed, oldest first.
func (t *typed) waiting() []session.CreateItem {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.items)
}
