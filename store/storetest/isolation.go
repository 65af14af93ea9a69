package storetest

import (
	"testing"

	"kalami/session/learn"
)

// testIsolation: to another user, and to the same user in another tenant, what
// is somebody's own does not exist.
func testIsolation(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	c := ana.Start(t, db)
	must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
	before, err := db.Profile(ctx, c.TenantID, c.UserID, c.ProfileID)
	must(t, err)

	for who, as := range map[string]struct{ tenant, user string }{
		"another user":   {learn.PersonalTenant, eve.User.ID},
		"another tenant": {"school", ana.User.ID},
		"no tenant":      {"", ana.User.ID},
		"no user":        {learn.PersonalTenant, ""},
	} {
		p := ana.Profile
		p.TenantID, p.UserID = as.tenant, as.user
		theirs := c
		theirs.TenantID, theirs.UserID = as.tenant, as.user
		calls := map[string]func() error{
			"Profile":         func() error { _, err := db.Profile(ctx, as.tenant, as.user, p.ID); return err },
			"UpdateProfile":   func() error { _, err := db.UpdateProfile(ctx, p); return err },
			"DeleteProfile":   func() error { return db.DeleteProfile(ctx, as.tenant, as.user, p.ID) },
			"Background":      func() error { _, err := db.Background(ctx, theirs, 10); return err },
			"Conversation":    func() error { _, err := db.Conversation(ctx, as.tenant, as.user, c.ID); return err },
			"TakeOver":        func() error { _, err := db.TakeOver(ctx, as.tenant, as.user, c.ID); return err },
			"EndConversation": func() error { return db.EndConversation(ctx, 1, theirs) },
			"FinishConversation": func() error {
				_, err := db.FinishConversation(ctx, as.tenant, as.user, c.ID)
				return err
			},
			"Transcript":         func() error { _, _, err := db.Transcript(ctx, as.tenant, as.user, c.ID, 0, 10); return err },
			"DeleteConversation": func() error { return db.DeleteConversation(ctx, as.tenant, as.user, c.ID) },
			"StartConversation": func() error {
				_, err := db.StartConversation(ctx, learn.Conversation{TenantID: as.tenant, UserID: as.user, ProfileID: p.ID})
				return err
			},
		}
		if as.tenant != learn.PersonalTenant {
			calls["RecentMessages"] = func() error { _, err := db.RecentMessages(ctx, as.tenant, c.ID, 10); return err }
			calls["AppendMessage"] = func() error { return db.AppendMessage(ctx, 1, Utterance(theirs, 2)) }
		}
		for name, call := range calls {
			wantKind(t, name+" as "+who, call(), learn.NotFound)
		}
		if cs, err := db.ListConversations(ctx, as.tenant, as.user, "", 100, 0); len(cs) != 0 || err != nil {
			t.Errorf("ListConversations as %s = %v, %v; want none", who, cs, err)
		}
		if cs, err := db.ListConversations(ctx, as.tenant, as.user, p.ID, 100, 0); len(cs) != 0 || err != nil {
			t.Errorf("ListConversations of Ana's profile as %s = %v, %v; want none", who, cs, err)
		}
		if st, err := db.Statistics(ctx, as.tenant, as.user); st.Conversations != 0 || st.Speaking != 0 || st.Longest != 0 || err != nil {
			t.Errorf("Statistics as %s = %+v, %v; want nothing of Ana's", who, st, err)
		}
		if as.user != eve.User.ID {
			if ps, err := db.ListProfiles(ctx, as.tenant, as.user); len(ps) != 0 || err != nil {
				t.Errorf("ListProfiles as %s = %v, %v; want none", who, ps, err)
			}
		}
	}
	if got, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || got.Epoch != 1 || got.Status != "active" || got.NextSeq != 2 {
		t.Errorf("afterwards %+v, %v; want it untouched", got, err)
	}
	if got, err := db.Profile(ctx, c.TenantID, c.UserID, c.ProfileID); err != nil || got != before {
		t.Errorf("afterwards %+v, %v; want %+v", got, err, before)
	}
}
