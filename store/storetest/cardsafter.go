package storetest

import (
	"fmt"
	"slices"
	"testing"

	"kalami/session/learn"
)

// testCardsAfter: whoever reads all cards part by part gets each that stays once, in the
// order of the ids, and none of anybody else.
func testCardsAfter(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	var want []string
	for i := range 7 {
		c := ana.Word("word", fmt.Sprint("palabra ", i))
		c.ID = fmt.Sprintf("card-%d", 9-i)
		want = append(want, ana.Keep(t, db, c).ID)
	}
	slices.Sort(want)
	eve.Keep(t, db, eve.Word("hers", "suya"))
	french, err := db.CreateProfile(ctx, learn.Profile{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, TargetLanguage: "fr", Level: learn.A1})
	must(t, err)
	other := ana.Word("word", "le mot")
	other.ProfileID, other.ID = french.ID, "card-french"
	ana.Keep(t, db, other)

	read := func(profileID string) (ids []string) {
		for after := ""; ; after = ids[len(ids)-1] {
			part, err := db.CardsAfter(ctx, ana.Profile.TenantID, ana.User.ID, profileID, after, 3)
			must(t, err)
			for _, c := range part {
				ids = append(ids, c.ID)
			}
			if len(part) < 3 {
				return ids
			}
		}
	}
	if got := read(ana.Profile.ID); !slices.Equal(got, want) {
		t.Errorf("of the profile: %v, want %v", got, want)
	}
	if got := read(""); !slices.Equal(got, append(slices.Clone(want), "card-french")) {
		t.Errorf("of all: %v", got)
	}
	first, err := db.CardsAfter(ctx, ana.Profile.TenantID, ana.User.ID, french.ID, "", 3)
	if must(t, err); len(first) != 1 || first[0].Language != "fr" || first[0].Back != "le mot" {
		t.Errorf("the French ones are %+v", first)
	}
	must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, want[2], ""))
	if got := read(ana.Profile.ID); !slices.Equal(got, slices.Delete(slices.Clone(want), 2, 3)) {
		t.Errorf("after a deletion: %v", got)
	}
	must(t, db.DeleteProfile(ctx, ana.Profile.TenantID, ana.User.ID, french.ID))
	if got := read(french.ID); len(got) != 0 {
		t.Errorf("of a deleted profile: %v", got)
	}
	none, err := db.CardsAfter(ctx, "school", ana.User.ID, "", "", 3)
	if must(t, err); len(none) != 0 {
		t.Errorf("in another tenant: %+v", none)
	}
}
