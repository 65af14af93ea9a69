package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// Word returns a card of the learner's: what is asked, and the answer.
func (l Learner) Word(front, back string) learn.Card {
	return learn.Card{ProfileID: l.Profile.ID, Kind: learn.CardProduce, Origin: learn.FromHand, Front: front, Back: back}
}

// Keep adds a card and returns it as it is then.
func (l Learner) Keep(tb testing.TB, db *store.DB, c learn.Card) learn.Card {
	tb.Helper()
	added, err := db.AddCards(tb.Context(), l.Profile.TenantID, l.User.ID, "", []learn.Card{c})
	if err != nil || added[0].Outcome != learn.CardCreated {
		tb.Fatalf("AddCards: %+v, %v", added, err)
	}
	return added[0].Card
}

// add adds cards as the learner's phone does.
func (l Learner) add(tb testing.TB, db *store.DB, cards ...learn.Card) []learn.AddedCard {
	tb.Helper()
	added, err := db.AddCards(tb.Context(), l.Profile.TenantID, l.User.ID, "phone", cards)
	if err != nil {
		tb.Fatalf("AddCards: %v", err)
	}
	return added
}

func (l Learner) card(tb testing.TB, db *store.DB, id string) learn.Card {
	tb.Helper()
	c, err := db.Card(tb.Context(), l.Profile.TenantID, l.User.ID, id)
	if err != nil {
		tb.Fatalf("Card: %v", err)
	}
	return c
}

// testCards: a card comes back as it was given, with what follows from it; adding it again
// changes nothing, and to anybody else it does not exist.
func testCards(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	session := ana.Start(t, db)
	said := Utterance(session, 1)
	said.ID = "said-by-ana"
	must(t, db.AppendMessage(ctx, 1, said))

	asked := learn.Card{ID: "card-1", ProfileID: ana.Profile.ID, Kind: learn.CardFix, Origin: learn.FromCorrection,
		Front: " Yo fue al mercado. ", Back: "¡Yo fui al mercado!", Context: "the past tense", Tags: []string{"verbs", "a1", "verbs"},
		Level: "a2", MessageID: said.ID, CorrectionID: "gone", CreatedAt: at.at.Add(-time.Hour)}
	want := asked
	want.TenantID, want.UserID, want.Language = ana.Profile.TenantID, ana.User.ID, "es"
	want.Front, want.Tags, want.Level, want.CorrectionID = "Yo fue al mercado.", []string{"a1", "verbs"}, learn.A2, ""
	want.Key, want.Memory.State, want.UpdatedAt = "yo fui al mercado", learn.CardNew, at.at
	for _, outcome := range []learn.CardOutcome{learn.CardCreated, learn.CardRepeated, learn.CardRepeated} {
		added := ana.add(t, db, asked)
		if len(added) != 1 || added[0].Asked != "card-1" || added[0].Outcome != outcome || !reflect.DeepEqual(added[0].Card, want) {
			t.Errorf("added %+v; want %s, %+v", added, outcome, want)
		}
		asked.Front = "something else" // a repeat does not change it
		at.at = at.at.Add(time.Hour)
	}
	if got := ana.card(t, db, "card-1"); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v; want %+v", got, want)
	}

	_, err := db.Card(ctx, eve.Profile.TenantID, eve.User.ID, "card-1")
	wantKind(t, "somebody else's card", err, learn.NotFound)
	_, err = db.Card(ctx, "school", ana.User.ID, "card-1")
	wantKind(t, "a card in another tenant", err, learn.NotFound)
	add := func(c learn.Card) error {
		_, err := db.AddCards(ctx, eve.Profile.TenantID, eve.User.ID, "", []learn.Card{c})
		return err
	}
	wantKind(t, "a card in somebody else's profile", add(ana.Word("a", "b")), learn.NotFound)
	taken := eve.Word("a", "b")
	taken.ID = "card-1"
	wantKind(t, "a card with somebody else's id", add(taken), learn.Conflict)
	wantKind(t, "a card without an answer", add(eve.Word("a", "  ")), learn.Invalid)
	stolen := eve.Word("a", "b")
	stolen.MessageID = said.ID
	if c := eve.Keep(t, db, stolen); c.MessageID != "" {
		t.Errorf("Eve's card came from Ana's message %s", c.MessageID)
	}
	// All of a call or nothing.
	if _, err := db.AddCards(ctx, ana.Profile.TenantID, ana.User.ID, "", []learn.Card{ana.Word("x", "y"), ana.Word("", "")}); err == nil {
		t.Error("a call with a bad card succeeded")
	}
	if cards, err := db.ListCards(ctx, ana.Profile.TenantID, ana.User.ID, learn.CardFilter{}, 10, 0); err != nil || len(cards) != 1 {
		t.Errorf("%d cards, %v; want the first alone", len(cards), err)
	}
	must(t, db.DeleteProfile(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID))
	_, err = db.Card(ctx, ana.Profile.TenantID, ana.User.ID, "card-1")
	wantKind(t, "a card of a deleted profile", err, learn.NotFound)
}

// testCardMerge: a word that is there already is not added a second time; what its card
// lacks it gets, and nothing of it is replaced.
func testCardMerge(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	first := ana.Word("house", "la casa")
	first.Tags = []string{"home"}
	older := ana.Keep(t, db, first)

	second := ana.Word("the house", "¡La Casa!")
	second.ID, second.Context, second.Level, second.Tags = "second", "La casa es azul.", learn.A1, []string{"noun", "home"}
	other := second
	other.ID, other.Kind = "third", learn.CardRecognise
	added := ana.add(t, db, second, other, second)
	if added[0].Outcome != learn.CardMerged || added[0].Asked != "second" || added[0].Card.ID != older.ID ||
		added[1].Outcome != learn.CardCreated || added[2].Outcome != learn.CardMerged {
		t.Errorf("added %+v", added)
	}
	want := older
	want.Context, want.Level, want.Tags, want.UpdatedAt = second.Context, learn.A1, []string{"home", "noun"}, added[0].Card.UpdatedAt
	if got := ana.card(t, db, older.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("merged into %+v; want %+v", got, want)
	}
	_, err := db.Card(ctx, ana.Profile.TenantID, ana.User.ID, "second")
	wantKind(t, "what was merged", err, learn.NotFound)

	// Within one call, too.
	twice := ana.add(t, db, ana.Word("dog", "el perro"), ana.Word("hound", "El perro."))
	if twice[0].Outcome != learn.CardCreated || twice[1].Outcome != learn.CardMerged || twice[1].Card.ID != twice[0].Card.ID {
		t.Errorf("added the same word twice as %+v", twice)
	}
	// What was deleted does not take anything in.
	must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, older.ID, ""))
	if again := ana.add(t, db, second); again[0].Outcome != learn.CardCreated || again[0].Card.ID != "second" {
		t.Errorf("after the deletion %+v", again)
	}
}

// testCardRace: several devices add the same words at once, each in its own order and under
// its own ids; each word has one card in the end, and everybody was told which.
func testCardRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ana := NewLearner(t, db, "ana")
	const words, devices = 12, 6
	told := make([][]learn.AddedCard, devices)
	var all sync.WaitGroup
	for d := range devices {
		all.Go(func() {
			var cards []learn.Card
			for w := range words {
				c := ana.Word("word", fmt.Sprintf("palabra %d", (w+d*5)%words))
				c.ID = fmt.Sprintf("device-%d-%d", d, w)
				cards = append(cards, c)
			}
			var err error
			if told[d], err = db.AddCards(t.Context(), ana.Profile.TenantID, ana.User.ID, "", cards); err != nil {
				t.Errorf("device %d: %v", d, err)
			}
		})
	}
	all.Wait()
	ids := map[string]string{}
	for _, added := range told {
		for _, a := range added {
			if id, known := ids[a.Card.Key]; known && id != a.Card.ID {
				t.Errorf("%s is %s and %s", a.Card.Key, id, a.Card.ID)
			}
			ids[a.Card.Key] = a.Card.ID
		}
	}
	cards, err := db.ListCards(t.Context(), ana.Profile.TenantID, ana.User.ID, learn.CardFilter{}, 100, 0)
	if err != nil || len(cards) != words || len(ids) != words {
		t.Errorf("%d cards, %d ids, %v; want %d", len(cards), len(ids), err, words)
	}
}

// testCardLists: filters, and pages that join without a seam.
func testCardLists(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	eve.Keep(t, db, eve.Word("hers", "suyo"))
	german, err := db.CreateProfile(ctx, learn.Profile{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, TargetLanguage: "de", Level: learn.A1})
	must(t, err)
	var all []string // newest first
	keep := func(front, back string, change func(*learn.Card)) {
		c := ana.Word(front, back)
		c.ID = front
		change(&c)
		ana.Keep(t, db, c)
		all = slices.Insert(all, 0, front)
		at.at = at.at.Add(time.Minute)
	}
	keep("tree", "el árbol", func(c *learn.Card) { c.Tags, c.Level = []string{"nature", "a_b"}, learn.A1 })
	keep("100 %", "cien por ciento", func(c *learn.Card) { c.Kind, c.Origin = learn.CardSpeak, learn.FromImport })
	keep("aXb", "letras", func(c *learn.Card) { c.Tags, c.Level = []string{"aXb"}, learn.B1 })
	keep("Haus", "das Haus", func(c *learn.Card) { c.ProfileID = german.ID })
	yes, no := true, false
	_, err = db.PatchCard(ctx, learn.CardPatch{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, ID: "tree", Suspended: &yes})
	must(t, err)

	for _, tt := range []struct {
		filter learn.CardFilter
		want   string
	}{
		{learn.CardFilter{}, strings.Join(all, ",")},
		{learn.CardFilter{ProfileID: german.ID}, "Haus"},
		{learn.CardFilter{ProfileID: eve.Profile.ID}, ""},
		{learn.CardFilter{Kind: learn.CardSpeak}, "100 %"},
		{learn.CardFilter{Origin: learn.FromImport}, "100 %"},
		{learn.CardFilter{Level: learn.A1}, "tree"},
		{learn.CardFilter{State: learn.CardReview}, ""},
		{learn.CardFilter{State: learn.CardNew}, strings.Join(all, ",")},
		{learn.CardFilter{Text: "ÁRBOL"}, "tree"},
		{learn.CardFilter{Text: "arbol"}, ""},
		{learn.CardFilter{Text: "%"}, "100 %"},
		{learn.CardFilter{Text: "a_b"}, ""},
		{learn.CardFilter{Text: "!"}, ""},
		{learn.CardFilter{Tag: "a_b"}, "tree"},
		{learn.CardFilter{Tag: "natur"}, ""},
		{learn.CardFilter{Suspended: &yes}, "tree"},
		{learn.CardFilter{Suspended: &no}, "Haus,aXb,100 %"},
		{learn.CardFilter{Leech: &yes}, ""},
		{learn.CardFilter{Leech: &no, Level: learn.B1}, "aXb"},
		{learn.CardFilter{Due: &yes}, "Haus,aXb,100 %"},
		{learn.CardFilter{Due: &no}, ""},
	} {
		cards, err := db.ListCards(ctx, ana.Profile.TenantID, ana.User.ID, tt.filter, 10, 0)
		if got := fronts(cards); err != nil || got != tt.want {
			t.Errorf("%+v lists %q, %v; want %q", tt.filter, got, err, tt.want)
		}
	}
	var paged []string
	for offset := 0; ; offset += 3 {
		cards, err := db.ListCards(ctx, ana.Profile.TenantID, ana.User.ID, learn.CardFilter{}, 3, offset)
		must(t, err)
		if len(cards) == 0 {
			break
		}
		paged = append(paged, fronts(cards))
	}
	if got := strings.Join(paged, ","); got != strings.Join(all, ",") {
		t.Errorf("the pages are %s", got)
	}
}

func fronts(cards []learn.Card) string {
	var all []string
	for _, c := range cards {
		all = append(all, c.Front)
	}
	return strings.Join(all, ",")
}

// list returns all of the learner's cards, newest first.
func list(tb testing.TB, l Learner, db *store.DB) []learn.Card {
	tb.Helper()
	cards, err := db.ListCards(tb.Context(), l.Profile.TenantID, l.User.ID, learn.CardFilter{}, 1000, 0)
	if err != nil {
		tb.Fatalf("ListCards: %v", err)
	}
	return cards
}

// testCardSource: what a card can be made of is there for the message's own learner.
func testCardSource(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	session := ana.Start(t, db)
	said := Utterance(session, 1)
	said.ID, said.Content, said.Heard = "said-by-ana", "Yo fue al market.", "Yo fue al market."
	answer := Utterance(session, 2)
	answer.ID, answer.Turn, answer.Speaker, answer.Content, answer.Heard = "answered", 1, learn.SpeakerTutor, "¿Y qué compraste?", "¿Y qué compraste?"
	must(t, db.AppendMessage(ctx, 1, said))
	must(t, db.AppendMessage(ctx, 1, answer))
	found := learn.TurnAnalysis{
		TenantID: ana.Profile.TenantID, UserID: ana.User.ID, ProfileID: ana.Profile.ID, ConversationID: session.ID, MessageID: said.ID, Understood: true,
		Corrections: []learn.Correction{
			{ID: "c-1", Original: "fue", Corrected: "fui", Start: 3, End: 6, Category: learn.VerbForm, Severity: learn.Minor, Explanation: "First person."},
			{ID: "c-2", Original: "al", Corrected: "a la", Start: 7, End: 9, Category: learn.Gender, Severity: learn.Minor, Explanation: "…", Withheld: true}},
		NewWords: []learn.NewWord{{Lemma: "comprar", Surface: "compraste", Translation: "buy", Level: learn.A1}},
		L1Words:  []learn.L1Word{{Text: "market", Target: "mercado"}},
	}
	must(t, db.SaveAnalysis(ctx, found))
	s, err := db.CardSource(ctx, ana.Profile.TenantID, ana.User.ID, said.ID)
	if err != nil || s.Message.Content != said.Content || s.ProfileID != ana.Profile.ID || len(s.Corrections) != 1 || s.Corrections[0].ID != "c-1" ||
		!reflect.DeepEqual(s.L1Words, found.L1Words) || !reflect.DeepEqual(s.NewWords, found.NewWords) {
		t.Errorf("the learner's message gives %+v, %v", s, err)
	}
	if s, err = db.CardSource(ctx, ana.Profile.TenantID, ana.User.ID, "answered"); err != nil || len(s.Corrections) != 0 || !reflect.DeepEqual(s.NewWords, found.NewWords) {
		t.Errorf("the tutor's message gives %+v, %v", s, err)
	}
	_, err = db.CardSource(ctx, eve.Profile.TenantID, eve.User.ID, said.ID)
	wantKind(t, "somebody else's message", err, learn.NotFound)
	must(t, db.DeleteProfile(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID))
	_, err = db.CardSource(ctx, ana.Profile.TenantID, ana.User.ID, said.ID)
	wantKind(t, "a message of a deleted profile", err, learn.NotFound)
}
