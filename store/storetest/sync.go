package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"kalami/session/learn"
	"kalami/session/learn/srs"
	"kalami/store"
)

// gadget is a device of a learner's that tells and asks.
type gadget struct {
	tb     testing.TB
	db     *store.DB
	who    Learner
	name   string
	cursor *int64
	clock  func() time.Time
}

func newGadget(tb testing.TB, db *store.DB, who Learner, name string, now func() time.Time) *gadget {
	return &gadget{tb: tb, db: db, who: who, name: name, clock: now, cursor: new(int64)}
}

// sync tells some mutations, and goes on from the answer.
func (g *gadget) sync(ms ...learn.Mutation) learn.SyncAnswer {
	g.tb.Helper()
	a, err := g.db.Sync(g.tb.Context(), learn.SyncRequest{TenantID: g.who.Profile.TenantID, UserID: g.who.User.ID, DeviceID: g.name,
		Cursor: g.cursor, ClientNow: g.clock(), Mutations: ms, Limit: 100})
	if err != nil {
		g.tb.Fatal(err)
	}
	g.cursor = &a.Cursor
	return a
}

func (g *gadget) mutation(kind learn.MutationKind, id string) learn.Mutation {
	return learn.Mutation{ID: uuid.NewString(), Kind: kind, EntityID: id, At: g.clock()}
}

func (g *gadget) card(front, back string) learn.Mutation {
	m := g.mutation(learn.MutateCardAdd, uuid.NewString())
	m.Card = learn.Card{ProfileID: g.who.Profile.ID, Kind: learn.CardProduce, Origin: learn.FromHand, Front: front, Back: back}
	return m
}

func (g *gadget) front(id, text string) learn.Mutation {
	m := g.mutation(learn.MutateCardEdit, id)
	m.Patch.Front = &text
	return m
}

func (g *gadget) review(cardID string, r learn.Rating) learn.Mutation {
	m := g.mutation(learn.MutateReviewAdd, uuid.NewString())
	m.Review = learn.Review{CardID: cardID, Rating: r, Mode: learn.ReviewSelf}
	return m
}

// statuses are what became of the mutations, in their order.
func statuses(a learn.SyncAnswer) (all []string) {
	for _, r := range a.Results {
		s := string(r.Status)
		if r.Code != "" {
			s += " " + r.Code
		}
		all = append(all, s)
	}
	return all
}

// testSync: a phone and a tablet, both with something to tell.
func testSync(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ana := NewLearner(t, db, "ana")
	phone, tablet := newGadget(t, db, ana, "phone", at.now), newGadget(t, db, ana, "tablet", at.now)
	tablet.clock = func() time.Time { return at.at.Add(26 * time.Hour) } // somebody has set it wrong

	if a := phone.sync(); len(a.Changes.Profiles) != 1 || a.Reset || a.Cursor != 1 {
		t.Fatalf("a new phone from cursor 0: %+v", a)
	}
	hello := phone.card("hello", "hola")
	a := phone.sync(hello)
	if !slices.Equal(statuses(a), []string{"applied"}) || len(a.Changes.Cards)+len(a.Changes.Profiles) != 0 || a.Cursor != 2 {
		t.Fatalf("a card: %+v; want it applied and nothing told", a)
	}
	at.at = at.at.Add(time.Minute)
	if again := phone.sync(hello); !slices.EqualFunc(again.Results, a.Results, sameResult) || again.Cursor != 2 {
		t.Errorf("the card again: %+v, want the same result and no change", again)
	}

	// The tablet, offline until now, has added the same word and reviewed it.
	theirs := tablet.card("hi!", "¡Hola!")
	reviewed := tablet.review(theirs.EntityID, learn.Good)
	a = tablet.sync(theirs, reviewed)
	if !slices.Equal(statuses(a), []string{"merged", "applied"}) || a.Results[0].EntityID != hello.EntityID {
		t.Fatalf("the same word: %+v", a.Results)
	}
	if len(a.Changes.Cards) != 1 || a.Changes.Cards[0].ID != hello.EntityID || a.Changes.Cards[0].Memory.Reps != 1 {
		t.Errorf("the tablet is told of %+v, want the older card, reviewed once", a.Changes.Cards)
	}
	if len(a.Changes.Reviews) != 1 || !a.Changes.Reviews[0].At.Equal(at.at) || !a.Changes.Reviews[0].RawAt.Equal(tablet.clock()) {
		t.Errorf("the review is told as %+v, want its corrected time", a.Changes.Reviews)
	}

	// Each field for itself, by its time, however late it comes.
	late := phone.front(hello.EntityID, "hello there")
	at.at = at.at.Add(time.Minute)
	if a = tablet.sync(tablet.front(hello.EntityID, "good day")); !slices.Equal(statuses(a), []string{"applied"}) || len(a.Changes.Cards) != 0 {
		t.Errorf("an edit: %+v", a)
	}
	a = phone.sync(late)
	if !slices.Equal(statuses(a), []string{"applied"}) || len(a.Changes.Cards) != 1 || a.Changes.Cards[0].Front != "good day" {
		t.Errorf("an older edit: %+v; want the phone to hear what has won", a)
	}

	// Deleting wins, and what cannot be is no harm to the rest.
	bad := phone.review(uuid.NewString(), learn.Good)
	rating := phone.review(hello.EntityID, 5)
	faulty := phone.mutation("card.paint", "x")
	faulty.Faults = []learn.FieldError{{Field: "type", Message: "is not known"}}
	a = phone.sync(bad, phone.mutation(learn.MutateCardDelete, hello.EntityID), rating, faulty, phone.front(hello.EntityID, "late"),
		phone.mutation(learn.MutateReviewUndo, reviewed.EntityID), phone.card("", "nada"))
	want := []string{"rejected not_found", "applied", "rejected invalid", "rejected invalid", "rejected not_found", "applied", "rejected invalid"}
	if !slices.Equal(statuses(a), want) {
		t.Errorf("%v, want %v", statuses(a), want)
	}
	if f := a.Results[2].Fields; len(f) != 1 || f[0].Field != "rating" {
		t.Errorf("rating 5: %+v, want the field named", a.Results[2])
	}
	a = tablet.sync(tablet.mutation(learn.MutateCardRestore, hello.EntityID))
	if !slices.Equal(statuses(a), []string{"applied"}) || len(a.Changes.Cards) != 1 || a.Changes.Cards[0].Memory.State != learn.CardNew || a.Changes.Reviews[0].UndoneAt.IsZero() {
		t.Errorf("restored: %+v", a)
	}

	// Settings, and what is somebody else's.
	slow := phone.mutation(learn.MutateProfileEdit, ana.Profile.ID)
	slow.Profile.PatienceMS = new(2500)
	eve := newGadget(t, db, NewLearner(t, db, "eve"), "phone", at.now)
	if a = phone.sync(slow); !slices.Equal(statuses(a), []string{"applied"}) {
		t.Errorf("a setting: %+v", a.Results)
	}
	if p := tablet.sync().Changes.Profiles; len(p) != 1 || p[0].PatienceMS != 2500 {
		t.Errorf("the tablet hears of %+v", p)
	}
	steal := eve.card("mine", "mío")
	steal.EntityID = hello.EntityID
	theft := eve.mutation(learn.MutateProfileEdit, ana.Profile.ID)
	a = eve.sync(eve.front(hello.EntityID, "x"), eve.mutation(learn.MutateCardDelete, hello.EntityID), eve.review(hello.EntityID, learn.Good),
		eve.mutation(learn.MutateReviewUndo, reviewed.EntityID), theft, steal)
	if !slices.Equal(statuses(a), slices.Repeat([]string{"rejected not_found"}, 6)) || len(a.Changes.Cards) != 0 {
		t.Errorf("what is Ana's: %v, %+v", statuses(a), a.Changes)
	}
	if c, err := db.Card(t.Context(), learn.PersonalTenant, ana.User.ID, hello.EntityID); err != nil || c.Front != "good day" {
		t.Errorf("afterwards %+v, %v", c, err)
	}
}

func sameResult(a, b learn.MutationResult) bool {
	return a.ID == b.ID && a.Status == b.Status && a.EntityID == b.EntityID && a.Code == b.Code
}

// testSyncReset: a cursor that cannot be gone on from, and how to begin anew.
func testSyncReset(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ana := NewLearner(t, db, "ana")
	phone := newGadget(t, db, ana, "phone", at.now)
	var words []learn.Mutation
	for i := range 7 {
		words = append(words, phone.card(fmt.Sprint("word ", i), fmt.Sprint("palabra ", i)))
	}
	words = append(words, phone.review(words[0].EntityID, learn.Again), phone.review(words[1].EntityID, learn.Easy))
	phone.sync(words...)
	old := *phone.cursor
	phone.cursor = nil
	if a := phone.sync(); !a.Reset || a.Cursor != 0 {
		t.Errorf("without a cursor: %+v, want a reset", a)
	}
	phone.cursor = new(old + 1)
	if a := phone.sync(phone.card("the last", "la última")); !a.Reset || a.Results[0].Status != learn.MutationApplied {
		t.Errorf("from the future: %+v, want a reset and the card applied", a)
	}
	at.at = at.at.Add(91 * 24 * time.Hour)
	if n, err := db.PruneSync(t.Context(), at.at.Add(-90*24*time.Hour), 10); n != 1 || err != nil {
		t.Fatalf("pruned %d users, %v", n, err)
	}
	phone.cursor = &old
	if a := phone.sync(); !a.Reset {
		t.Errorf("from before what is kept: %+v, want a reset", a)
	}
	cards, reviews, profiles, page := map[string]learn.Card{}, 0, 0, ""
	var cursor int64
	for pages := 0; ; pages++ {
		b, err := db.Bootstrap(t.Context(), learn.PersonalTenant, ana.User.ID, page, 3)
		if err != nil || pages > 10 {
			t.Fatalf("page %d, %q: %v", pages, page, err)
		}
		for _, c := range b.Changes.Cards {
			cards[c.ID] = c
		}
		reviews, profiles = reviews+len(b.Changes.Reviews), profiles+len(b.Changes.Profiles)
		if page == "" {
			phone.sync(phone.card("meanwhile", "mientras tanto")) // told after the bootstrap
		} else if b.Cursor != cursor {
			t.Errorf("the cursor is %d on one page and %d on another", cursor, b.Cursor)
		}
		if cursor, page = b.Cursor, b.Next; page == "" {
			break
		}
	}
	if len(cards) < 8 || reviews != 2 || profiles != 1 || cards[words[1].EntityID].Memory.State != learn.CardReview {
		t.Errorf("loaded %d cards, %d reviews and %d profiles", len(cards), reviews, profiles)
	}
	phone.cursor = &cursor
	if a := phone.sync(); a.Reset || len(a.Changes.Cards) != 1 || a.Changes.Cards[0].Front != "meanwhile" {
		t.Errorf("after the bootstrap: %+v", a)
	}
	for _, bad := range []string{"x", "1", "1.cards", "-1.cards.", "1.profiles.", "1.rows.a", "99999999999999999999.cards.", "1.cards.\x00"} {
		_, err := db.Bootstrap(t.Context(), learn.PersonalTenant, ana.User.ID, bad, 3)
		wantKind(t, "page "+bad, err, learn.Invalid)
	}
	_, err := db.Sync(t.Context(), learn.SyncRequest{TenantID: "elsewhere", UserID: ana.User.ID, DeviceID: "phone", Cursor: new(int64), Limit: 10})
	wantKind(t, "in another school", err, learn.NotFound)
}

// testSyncRace: devices tell at the same time, among them two the very same, while another
// asks: nothing is skipped, nothing is applied twice, and the log comes to the memory.
func testSyncRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ana := NewLearner(t, db, "ana")
	const devices, rounds = 4, 6
	shared := newGadget(t, db, ana, "first", time.Now).card("shared", "común")
	newGadget(t, db, ana, "first", time.Now).sync(shared)
	var wg, asking sync.WaitGroup
	done := make(chan struct{})
	reader := newGadget(t, db, ana, "reader", time.Now)
	seen := map[string]bool{}
	asking.Go(func() {
		for last := false; ; {
			a := reader.sync()
			for _, c := range a.Changes.Cards {
				seen[c.ID] = true
			}
			if a.Reset {
				t.Error("the reader was sent back to the beginning")
				return
			}
			if last && !a.HasMore {
				return
			}
			select {
			case <-done:
				last = true
			default:
			}
		}
	})
	for d := range devices {
		// Devices 0 and 1 have learned the same words.
		g := newGadget(t, db, ana, fmt.Sprint("device ", d), time.Now)
		var told [][]learn.Mutation
		for r := range rounds {
			told = append(told, []learn.Mutation{g.card(fmt.Sprint("front ", d, r), fmt.Sprint("back ", max(d, 1), r)), g.review(shared.EntityID, learn.Good)})
		}
		wg.Go(func() {
			for _, ms := range told {
				for _, r := range g.sync(ms...).Results {
					if r.Status == learn.MutationRejected {
						t.Errorf("%+v", r)
					}
				}
			}
		})
		if d == 1 { // its requests are sent twice
			twin := newGadget(t, db, ana, g.name, time.Now)
			wg.Go(func() {
				for _, ms := range told {
					twin.sync(ms...)
				}
			})
		}
	}
	wg.Wait()
	close(done)
	asking.Wait()
	cards, err := db.ListCards(t.Context(), learn.PersonalTenant, ana.User.ID, learn.CardFilter{}, 1000, 0)
	must(t, err)
	for _, c := range cards {
		if !seen[c.ID] {
			t.Errorf("the reader has skipped %s, %q", c.ID, c.Back)
		}
	}
	if len(cards) != 1+(devices-1)*rounds {
		t.Errorf("%d cards, want %d", len(cards), 1+(devices-1)*rounds)
	}
	c, err := db.Card(t.Context(), learn.PersonalTenant, ana.User.ID, shared.EntityID)
	must(t, err)
	if c.Memory.Reps != devices*rounds {
		t.Errorf("the shared card was reviewed %d times, want %d", c.Memory.Reps, devices*rounds)
	}
	scheduler, err := srs.New(srs.Default())
	must(t, err)
	b, err := db.Bootstrap(t.Context(), learn.PersonalTenant, ana.User.ID, "0.reviews.", 1000)
	must(t, err)
	if m, _ := scheduler.Replay(c.CreatedAt, b.Changes.Reviews); m != c.Memory {
		t.Errorf("the log comes to %+v, the card says %+v", m, c.Memory)
	}
}
