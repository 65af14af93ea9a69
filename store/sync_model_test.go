package store_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"kalami/session/learn"
	"kalami/session/learn/srs"
	"kalami/store"
	"kalami/store/storetest"
)

// The model of devices: each keeps what the server has told it, with its own answered
// mutations applied, and a queue of those that were not answered.

// world is one learner with some devices and one server.
type world struct {
	*testing.T
	db      *store.DB
	who     storetest.Learner
	rand    *rand.Rand
	now     time.Time
	devices []*device
}

// device is a model client.
type device struct {
	*world
	name    string
	offset  time.Duration // by which its clock is wrong
	cursor  *int64
	queue   []learn.Mutation
	sent    int // how many of the queue were sent at least once: those are sent again as they are
	cards   map[string]learn.Card
	reviews map[string]learn.Review
	profile learn.Profile
}

func (w *world) device(name string, offset time.Duration) *device {
	return &device{world: w, name: name, offset: offset, cards: map[string]learn.Card{}, reviews: map[string]learn.Review{}}
}

// one returns one of the keys of m, or "".
func one[V any](w *world, m map[string]V) string {
	keys := slices.Sorted(maps.Keys(m))
	if len(keys) == 0 {
		return ""
	}
	return keys[w.rand.IntN(len(keys))]
}

// act does something on the device, offline.
func (d *device) act() {
	m := learn.Mutation{ID: d.id(), At: d.now.Add(d.offset), EntityID: one(d.world, d.cards)}
	text := fmt.Sprint("text ", d.rand.IntN(5))
	switch n := d.rand.IntN(20); {
	case n < 5 || m.EntityID == "":
		m.Kind, m.EntityID = learn.MutateCardAdd, d.id()
		m.Card = learn.Card{ProfileID: d.who.Profile.ID, Kind: learn.CardProduce, Origin: learn.FromHand,
			Front: text, Back: fmt.Sprint("palabra ", d.rand.IntN(8))}
	case n < 8:
		m.Kind, m.Patch.Front = learn.MutateCardEdit, &text
	case n < 10:
		m.Kind, m.Patch.Context = learn.MutateCardEdit, &text
		m.Patch.Tags = &[]string{"a", fmt.Sprint(d.rand.IntN(3))}
	case n < 11:
		m.Kind, m.Patch.Back = learn.MutateCardEdit, new(fmt.Sprint("palabra ", d.rand.IntN(8))) // may be another's
	case n < 12:
		m.Kind = []learn.MutationKind{learn.MutateCardSuspend, learn.MutateCardUnsuspend}[d.rand.IntN(2)]
	case n < 13:
		m.Kind = []learn.MutationKind{learn.MutateCardDelete, learn.MutateCardRestore}[d.rand.IntN(2)]
	case n < 14:
		m.Kind, m.EntityID = learn.MutateProfileEdit, d.who.Profile.ID
		m.Profile.PatienceMS, m.Profile.VoiceID = new(900+d.rand.IntN(9)), &text
	case n < 15 && len(d.reviews) > 0:
		m.Kind, m.EntityID = learn.MutateReviewUndo, one(d.world, d.reviews)
	default:
		m.Kind, m.EntityID = learn.MutateReviewAdd, d.id()
		m.Review = learn.Review{CardID: one(d.world, d.cards), Rating: learn.Rating(d.rand.IntN(6)), Mode: learn.ReviewSelf}
	}
	d.queue = append(d.queue, m)
}

func (w *world) id() string {
	id, err := uuid.NewRandomFromReader(randReader{w.rand})
	if err != nil {
		w.Fatal(err)
	}
	return id.String()
}

type randReader struct{ *rand.Rand }

func (r randReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

// sync sends a first part of the queue and takes the answer in, unless it is lost.
func (d *device) sync(lost bool) (more bool) {
	d.Helper()
	n := max(d.sent, d.rand.IntN(len(d.queue)+1))
	d.sent = n
	a, err := d.db.Sync(context.Background(), learn.SyncRequest{TenantID: d.who.Profile.TenantID, UserID: d.who.User.ID, DeviceID: d.name,
		Cursor: d.cursor, ClientNow: d.now.Add(d.offset), Mutations: slices.Clone(d.queue[:n]), Limit: 1 + d.rand.IntN(40)})
	if err != nil {
		d.Fatal(err)
	}
	if lost {
		return true
	}
	told := d.queue[:n]
	d.queue, d.sent = slices.Clone(d.queue[n:]), 0
	for i, m := range told {
		d.answered(m, a.Results[i])
	}
	if a.Reset {
		d.load()
		return true
	}
	d.take(a.Changes)
	d.cursor = &a.Cursor
	return a.HasMore || len(d.queue) > 0
}

// answered applies one's own mutation.
func (d *device) answered(m learn.Mutation, r learn.MutationResult) {
	if r.ID != m.ID {
		d.Fatalf("the result of %s is for %s", m.ID, r.ID)
	}
	if r.Status == learn.MutationMerged {
		for i := range d.queue {
			if d.queue[i].EntityID == m.EntityID {
				d.queue[i].EntityID = r.EntityID
			}
			if d.queue[i].Review.CardID == m.EntityID {
				d.queue[i].Review.CardID = r.EntityID
			}
		}
	}
	if r.Status != learn.MutationApplied {
		return
	}
	switch c := d.cards[r.EntityID]; m.Kind {
	case learn.MutateCardAdd:
		c = m.Card
		c.ID, c.Memory.State = r.EntityID, learn.CardNew
		d.cards[c.ID] = c
	case learn.MutateCardEdit:
		for _, f := range []struct{ field, text *string }{{&c.Front, m.Patch.Front}, {&c.Back, m.Patch.Back}, {&c.Context, m.Patch.Context}} {
			if f.text != nil {
				*f.field = *f.text
			}
		}
		if m.Patch.Tags != nil {
			c.Tags = learn.TidyTags(*m.Patch.Tags)
		}
		d.cards[r.EntityID] = c
	case learn.MutateCardSuspend, learn.MutateCardUnsuspend:
		if c.SuspendedAt = (time.Time{}); m.Kind == learn.MutateCardSuspend {
			c.SuspendedAt = m.At
		}
		d.cards[r.EntityID] = c
	case learn.MutateCardDelete:
		delete(d.cards, r.EntityID)
	case learn.MutateReviewAdd:
		d.reviews[r.EntityID] = learn.Review{ID: r.EntityID, CardID: m.Review.CardID, Rating: m.Review.Rating, At: m.At}
	case learn.MutateReviewUndo:
		v := d.reviews[r.EntityID]
		v.UndoneAt = m.At
		d.reviews[r.EntityID] = v
	case learn.MutateProfileEdit:
		d.profile.PatienceMS, d.profile.VoiceID = *m.Profile.PatienceMS, *m.Profile.VoiceID
	}
}

// take puts what the server tells in the place of one's own.
func (d *device) take(c learn.SyncChanges) {
	for _, p := range c.Profiles {
		d.profile = p
	}
	for _, card := range c.Cards {
		d.cards[card.ID] = card
	}
	for _, r := range c.Reviews {
		d.reviews[r.ID] = r
	}
	for _, ref := range c.Deleted {
		if ref.Entity == learn.EntityCard {
			delete(d.cards, ref.ID)
		}
	}
}

// load begins anew.
func (d *device) load() {
	d.cards, d.reviews = map[string]learn.Card{}, map[string]learn.Review{}
	for page := ""; ; {
		b, err := d.db.Bootstrap(context.Background(), d.who.Profile.TenantID, d.who.User.ID, page, 1+d.rand.IntN(9))
		if err != nil {
			d.Fatal(err)
		}
		d.take(b.Changes)
		d.cursor = &b.Cursor
		if page = b.Next; page == "" {
			return
		}
	}
}

// seen is what a learner sees of a device: cards, memory, the log and the settings.
func (d *device) seen() map[string]string {
	all := map[string]string{"profile": fmt.Sprint(d.profile.PatienceMS, d.profile.VoiceID)}
	for id, c := range d.cards {
		all["card "+id] = fmt.Sprintf("%q %q %q %v %v %+v", c.Front, c.Back, c.Context, c.Tags, !c.SuspendedAt.IsZero(), c.Memory)
	}
	for id, r := range d.reviews {
		all["review "+id] = fmt.Sprint(r.CardID, r.Rating, r.At.UTC(), !r.UndoneAt.IsZero())
	}
	return all
}

// Whatever several devices do, with whatever clocks, in whatever order they tell it, and
// whichever answers are lost: in the end all of them show what the server has, and each card
// is known as well as its log says.
func TestDevicesConverge(t *testing.T) {
	o := storetest.SQLite(t)
	now := time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return now }
	db := storetest.Open(t, o)
	scheduler, err := srs.New(srs.Default())
	if err != nil {
		t.Fatal(err)
	}
	histories := uint64(60)
	if testing.Short() {
		histories = 15
	}
	for seed := range histories {
		w := &world{T: t, db: db, rand: rand.New(rand.NewPCG(seed, 7)), now: now, who: storetest.NewLearner(t, db, fmt.Sprint("learner-", seed))}
		for i := range 2 + w.rand.IntN(4) {
			offset := time.Duration(w.rand.IntN(2*24*60)-24*60) * time.Minute
			w.devices = append(w.devices, w.device(fmt.Sprint("device-", i), offset))
		}
		for range 60 {
			w.now = w.now.Add(time.Duration(w.rand.IntN(9*60)) * time.Minute)
			now = w.now
			d := w.devices[w.rand.IntN(len(w.devices))]
			for range w.rand.IntN(4) {
				d.act()
			}
			if w.rand.IntN(2) == 0 {
				d.sync(w.rand.IntN(4) == 0)
			}
		}
		for range 2 { // what the last one tells the first one has to hear
			for _, d := range w.devices {
				for d.sync(false) {
				}
			}
		}
		server := w.device("server", 0)
		server.load()
		want := server.seen()
		for _, d := range w.devices {
			if got := d.seen(); !maps.Equal(got, want) {
				t.Fatalf("seed %d: %s of %d shows\n%s", seed, d.name, len(w.devices), differences(got, want))
			}
		}
		for id, c := range server.cards {
			var log []learn.Review
			for _, r := range server.reviews {
				if r.CardID == id {
					log = append(log, r)
				}
			}
			if m, _ := scheduler.Replay(c.CreatedAt, log); m != c.Memory {
				t.Fatalf("seed %d: the log comes to %+v, the card says %+v", seed, m, c.Memory)
			}
		}
	}
}

func differences(got, want map[string]string) (text string) {
	for k, v := range want {
		if got[k] != v {
			text += fmt.Sprintf("%s\n\t%s\n\tserver: %s\n", k, got[k], v)
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok {
			text += fmt.Sprintf("%s\n\t%s\n\tnot on the server\n", k, v)
		}
	}
	return text
}
