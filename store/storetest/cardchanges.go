package storetest

import (
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
)

// testCardPatches: for each field the latest write wins, whatever the order in which the
// writes arrive.
func testCardPatches(t *testing.T, fresh Fresh) {
	o := fresh(t)
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{noon}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	later := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	patch := func(p learn.CardPatch) learn.CardPatch {
		p.TenantID, p.UserID = ana.Profile.TenantID, ana.User.ID
		return p
	}
	a1, none := learn.A1, learn.Level("")
	writes := []learn.CardPatch{
		{Front: new("house"), Back: new("la casa"), At: later(1)},
		{Front: new("home"), Tags: &[]string{"b", "a"}, At: later(3)},
		{Back: new("el hogar"), Level: &a1, Suspended: new(true), At: later(2)},
		{Context: new("En casa."), Suspended: new(false), Level: &none, At: later(4)},
		{Front: new("at the same time, less"), At: later(3)},
		{Front: new("too early: the card was not made"), Back: new("as well"), At: later(-5)},
	}
	orders := [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {3, 0, 5, 2, 4, 1}, {1, 1, 4, 0, 2, 3, 5, 0}}
	for n, order := range orders {
		at.at = noon
		kept := ana.Keep(t, db, ana.Word("x", "x"))
		at.at = noon.Add(time.Hour)
		want := kept
		want.Front, want.Back, want.Key, want.Context, want.Tags = "home", "el hogar", "el hogar", "En casa.", []string{"a", "b"}
		want.UpdatedAt = at.at
		var got learn.Card
		for _, i := range order {
			p := patch(writes[i])
			p.ID = kept.ID
			var err error
			got, err = db.PatchCard(ctx, p)
			must(t, err)
		}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(got, ana.card(t, db, kept.ID)) {
			t.Errorf("order %d came to\n%+v, want\n%+v", n, got, want)
		}
		must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, kept.ID, ""))
	}

	one, two := ana.Keep(t, db, ana.Word("dog", "el perro")), ana.Keep(t, db, ana.Word("cat", "el gato"))
	change := func(p learn.CardPatch) error {
		_, err := db.PatchCard(ctx, p)
		return err
	}
	wantKind(t, "the answer of another card", change(patch(learn.CardPatch{ID: two.ID, Back: new("El Perro")})), learn.Conflict)
	wantKind(t, "an empty answer", change(patch(learn.CardPatch{ID: two.ID, Back: new(" ")})), learn.Invalid)
	wantKind(t, "a bad answer that is late", change(patch(learn.CardPatch{ID: two.ID, Back: new("\x00"), At: later(-9)})), learn.Invalid)
	theirs := learn.CardPatch{TenantID: eve.Profile.TenantID, UserID: eve.User.ID, ID: one.ID, Front: new("mine")}
	wantKind(t, "somebody else's card", change(theirs), learn.NotFound)
	if err := change(patch(learn.CardPatch{ID: one.ID, Back: new("¡El perro!"), At: at.at.Add(24 * time.Hour)})); err != nil {
		t.Errorf("its own answer in other letters: %v", err)
	}
	// A clock that is ahead wins nothing against what comes after.
	at.at = at.at.Add(time.Minute)
	if c, err := db.PatchCard(ctx, patch(learn.CardPatch{ID: one.ID, Back: new("la perra")})); err != nil || c.Back != "la perra" {
		t.Errorf("after a write from the future: %+v, %v", c, err)
	}
}

// testCardDeletion: a deletion wins over what comes later and earlier, and is undone on
// purpose alone.
func testCardDeletion(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	c := ana.Keep(t, db, ana.Word("dog", "el perro"))
	wantKind(t, "deleting somebody else's", db.DeleteCard(ctx, eve.Profile.TenantID, eve.User.ID, c.ID, ""), learn.NotFound)
	must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, "phone"))
	wantKind(t, "deleting again", db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, ""), learn.NotFound)
	_, err := db.Card(ctx, ana.Profile.TenantID, ana.User.ID, c.ID)
	wantKind(t, "a deleted card", err, learn.NotFound)
	_, err = db.PatchCard(ctx, learn.CardPatch{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, ID: c.ID, Front: new("hound")})
	wantKind(t, "changing a deleted card", err, learn.NotFound)
	if again := ana.add(t, db, c); again[0].Outcome != learn.CardDeleted || again[0].Card.DeletedAt.IsZero() {
		t.Errorf("adding a deleted card again: %+v", again)
	}
	back, err := db.RestoreCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, "")
	must(t, err)
	if back.Front != "dog" || !back.DeletedAt.IsZero() {
		t.Errorf("restored as %+v", back)
	}
	if same, err := db.RestoreCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, ""); err != nil || !reflect.DeepEqual(same, back) {
		t.Errorf("restored again as %+v, %v", same, err)
	}
	must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, ""))
	ana.Keep(t, db, ana.Word("the dog", "el perro"))
	_, err = db.RestoreCard(ctx, ana.Profile.TenantID, ana.User.ID, c.ID, "")
	wantKind(t, "restoring a word that has a new card", err, learn.Conflict)
	if got := fronts(list(t, ana, db)); got != "the dog" {
		t.Errorf("the cards are %s", got)
	}
}
