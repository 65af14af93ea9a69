package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"kalami/session/learn"
	"kalami/store"
)

// testInspect: whoever checks the database sees each conversation whole, with the epochs of
// its messages, whoever's it is and however it stands.
func testInspect(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	c := ana.Start(t, db)
	must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
	c, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	tutors := Utterance(c, 2)
	tutors.Speaker, tutors.Content, tutors.Interrupted = learn.SpeakerTutor, "Buenos días, Ana.", true
	must(t, db.AppendMessage(ctx, c.Epoch, tutors))
	messages, err := db.RecentMessages(ctx, c.TenantID, c.ID, 10)
	must(t, err)
	must(t, db.SaveAnalysis(ctx, learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID,
		ConversationID: c.ID, MessageID: messages[0].ID}))
	c, err = db.Conversation(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	want := store.Inspected{Conversation: c, Analysed: []string{messages[0].ID},
		Messages: []store.InspectedMessage{{Message: messages[0], Epoch: 1}, {Message: messages[1], Epoch: 2}}}

	var others []string
	for _, name := range []string{"bo", "cy"} {
		l := NewLearner(t, db, name)
		for range 3 {
			ended := l.Start(t, db)
			must(t, db.EndConversation(ctx, 1, ended))
			others = append(others, ended.ID)
		}
	}
	inspect := func(ids []string) (found []store.Inspected) {
		must(t, db.Inspect(ctx, ids, func(a store.Inspected) error { found = append(found, a); return nil }))
		return found
	}
	if got := inspect([]string{c.ID, "nobody's"}); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("one: %+v\nwant %+v", got, want)
	}
	if got := inspect([]string{}); len(got) != 0 {
		t.Errorf("none: %+v", got)
	}
	var all []string
	for _, a := range inspect(nil) {
		all = append(all, a.Conversation.ID)
		if a.Conversation.ID != c.ID && (a.Conversation.Status != "ended" || len(a.Messages) > 0) {
			t.Errorf("one that has ended: %+v", a)
		}
	}
	slices.Sort(all)
	if wantAll := slices.Sorted(slices.Values(append(others, c.ID))); !slices.Equal(all, wantAll) {
		t.Errorf("all: %v, want %v", all, wantAll)
	}
	enough := errors.New("enough")
	if err := db.Inspect(ctx, nil, func(store.Inspected) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
}
