package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

const (
	mutationID = "0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"
	syncedCard = "0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d11"
)

// A device tells of everything that can be told, and is shown everything that can be shown.
func TestSync(t *testing.T) {
	h := newHouse(t)
	at := time.Date(2026, 3, 4, 5, 10, 0, 0, time.UTC)
	h.store.syncing.answer = learn.SyncAnswer{
		Results: []learn.MutationResult{
			{ID: mutationID, Status: learn.MutationMerged, EntityID: "older", Kind: learn.MutateCardAdd},
			{ID: mutationID, Status: learn.MutationRejected, EntityID: "theirs", Code: "not_found", Kind: learn.MutateCardDelete},
			{ID: mutationID, Status: learn.MutationRejected, Code: "invalid", Fields: []learn.FieldError{{Field: "review.rating", Message: "must be 1, 2, 3 or 4"}}},
		},
		Changes: learn.SyncChanges{
			Cards: []learn.Card{{ID: syncedCard, ProfileID: "p", Language: "es", Kind: learn.CardProduce, Front: "hello", Back: "hola", Tags: []string{"a"},
				Origin: learn.FromHand, Level: learn.A1, CreatedAt: at, UpdatedAt: at,
				Memory: learn.Memory{State: learn.CardReview, Stability: 11.95, Difficulty: 5, DueAt: at.Add(12 * 24 * time.Hour), LastReviewedAt: at, Reps: 3, ScheduledDays: 12}}},
			Reviews: []learn.Review{{ID: "r", CardID: syncedCard, Rating: learn.Good, At: at, LocalDay: "2026-03-04", Duration: 3200 * time.Millisecond, Mode: learn.ReviewSelf}},
			Deleted: []learn.EntityRef{{Entity: learn.EntityCard, ID: "gone"}}, Other: []learn.EntityRef{{Entity: learn.EntityCorrection, ID: "c"}},
		},
		Cursor: 18, HasMore: true,
	}
	body := `{"device_id":"phone","cursor":17,"client_now":"2026-03-04T06:10:00+01:00","mutations":[
		{"id":"` + mutationID + `","type":"card.add","entity_id":"` + syncedCard + `","at":"2026-03-04T05:10:00Z","card":{"profile_id":"p","front":"hi","back":"hola","tags":["a"]}},
		{"id":"` + mutationID + `","type":"card.delete","entity_id":"theirs","at":"2026-03-04T05:10:00Z"},
		{"id":"` + mutationID + `","type":"review.add","entity_id":"` + syncedCard + `","at":"2026-03-04T05:10:00Z","review":{"card_id":"x","rating":5}}]}`
	access, user := h.account("ana@example.org")
	h.log.Reset()
	r := h.as(access, "POST", "/sync", body)
	const want = `{"results":[` +
		`{"id":"` + mutationID + `","status":"merged","entity_id":"older","code":null,"errors":[]},` +
		`{"id":"` + mutationID + `","status":"rejected","entity_id":"theirs","code":"not_found","errors":[]},` +
		`{"id":"` + mutationID + `","status":"rejected","entity_id":"","code":"invalid","errors":[{"field":"review.rating","message":"must be 1, 2, 3 or 4"}]}],` +
		`"reset":false,"changes":{"profiles":[],"cards":[{"id":"` + syncedCard + `","profile_id":"p","language":"es","kind":"produce","front":"hello","back":"hola",` +
		`"context":"","tags":["a"],"origin":"manual","level":"A1","source_message_id":null,"source_correction_id":null,"state":"review","stability":11.95,"difficulty":5,` +
		`"due_at":"2026-03-16T05:10:00Z","last_reviewed_at":"2026-03-04T05:10:00Z","reps":3,"lapses":0,"scheduled_days":12,"leech":false,"suspended_at":null,` +
		`"times_encountered":0,"times_used_correctly":0,"last_used_at":null,"created_at":"2026-03-04T05:10:00Z","updated_at":"2026-03-04T05:10:00Z"}],` +
		`"reviews":[{"id":"r","card_id":"` + syncedCard + `","rating":3,"reviewed_at":"2026-03-04T05:10:00Z","local_day":"2026-03-04","duration_ms":3200,"mode":"self","undone_at":null}],` +
		`"deleted":[{"entity":"card","id":"gone"}],"other":[{"entity":"correction","id":"c"}]},"cursor":18,"has_more":true}`
	r.want(http.StatusOK).same(want)
	asked := h.store.syncing.asked
	if asked.UserID != user || asked.TenantID != learn.PersonalTenant || asked.DeviceID != "phone" || *asked.Cursor != 17 || asked.ClientNow != at || asked.Limit != maxChanges || len(asked.Mutations) != 3 {
		t.Errorf("the store is asked %+v", asked)
	}
	if m := asked.Mutations[0]; m.ID != mutationID || m.At != at || m.Card.Kind != learn.CardProduce || m.Card.Front != "hi" || len(m.Faults) != 0 {
		t.Errorf("the card is read as %+v", m)
	}
	if f := asked.Mutations[2].Faults; len(f) != 1 || f[0].Field != "review.rating" {
		t.Errorf("rating 5: %+v", f)
	}
	if log := h.log.String(); !strings.Contains(log, "a device named what its user does not have") || !strings.Contains(log, `"entity_id":"theirs"`) || strings.Contains(log, "hola") {
		t.Errorf("the log says %s", log)
	}
}

// What is wrong with the whole is refused and named.
func TestSyncRefuses(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	for body, fields := range map[string][]string{
		``:                                     {"body"},
		`[]`:                                   {"body"},
		`{}`:                                   {"device_id"},
		`{"device_id":"a b"}`:                  {"device_id"},
		`{"device_id":7}`:                      {"device_id"},
		`{"device_id":"p","cursor":-1}`:        {"cursor"},
		`{"device_id":"p","cursor":"x"}`:       {"cursor"},
		`{"device_id":"p","cursor":1.5}`:       {"cursor"},
		`{"device_id":"p","client_now":"now"}`: {"client_now"},
		`{"device_id":"p","client_now":"0001-01-01T00:00:00Z"}`:                       {"client_now"},
		`{"device_id":"p","mutations":{}}`:                                            {"mutations"},
		`{"device_id":"p","mutations":[` + strings.Repeat("1,", maxMutations) + `1]}`: {"mutations"},
		`{"device_id":"","cursor":-1,"client_now":"","mutations":[]}`:                 {"device_id", "cursor", "client_now"},
	} {
		h.as(access, "POST", "/sync", body).invalid(fields...)
	}
	h.do("POST", "/sync", `{"device_id":"p"}`).refusal(http.StatusUnauthorized, "unauthorized")
	h.as(access, "GET", "/sync/bootstrap?limit=0", nil).invalid("limit")
	h.as(access, "GET", "/sync/bootstrap?limit=501", nil).invalid("limit")
	h.store.down = learn.Errorf(learn.Unavailable, "test", "away")
	h.as(access, "GET", "/sync/bootstrap", nil).refusal(http.StatusServiceUnavailable, "unavailable")
}

// What is wrong with one mutation is found out here, by name, and told to the store, which
// keeps the answer.
func TestMutationFaults(t *testing.T) {
	const head = `{"id":"` + mutationID + `","entity_id":"` + syncedCard + `","at":"2026-03-04T05:10:00Z",`
	for body, fields := range map[string][]string{
		`7`:                            {"id", "mutation"},
		`null`:                         {"at", "entity_id", "id", "type"},
		`{}`:                           {"at", "entity_id", "id", "type"},
		head + `"type":"card.delete"}`: nil,
		head + `"type":"card.paint"}`:  {"type"},
		head + `"type":"card.delete","colour":1}`:                                                          {"colour"},
		`{"id":"x","entity_id":"a b","at":"yesterday","type":"card.delete"}`:                               {"at", "entity_id", "id"},
		`{"id":"` + mutationID + `","entity_id":"x","at":"2026-03-04T05:10:00Z","type":"card.add"}`:        {"card", "entity_id"},
		head + `"type":"card.add","card":{"profile_id":"p","front":"a","back":"b"}}`:                       nil,
		head + `"type":"card.add","card":{"front":"a","back":" ","kind":"x","origin":"x","level":"D1"}}`:   {"card.back", "card.kind", "card.level", "card.origin", "card.profile_id"},
		head + `"type":"card.add","card":{"profile_id":"p","front":"a","back":"b","due_at":"2026-01-01"}}`: {"due_at"},
		head + `"type":"card.add","card":7}`:                                                               {"card"},
		head + `"type":"card.edit","card":{"kind":"speak","front":"x"}}`:                                   {"card.kind"},
		head + `"type":"card.edit"}`:                                                                       {"card"},
		head + `"type":"review.add","review":{"card_id":"c","rating":3}}`:                                  nil,
		head + `"type":"review.add","review":{"card_id":"c","rating":0}}`:                                  {"review.rating"},
		head + `"type":"review.add","review":{"card_id":"c","rating":5}}`:                                  {"review.rating"},
		head + `"type":"review.add","review":{"card_id":"c","rating":"3"}}`:                                {"review.rating"},
		head + `"type":"review.add","review":{"card_id":"a b","rating":3,"duration_ms":-5,"mode":"x","evidence":[]}}`: {
			"review.card_id", "review.duration_ms", "review.evidence", "review.mode"},
		head + `"type":"review.add"}`: {"review"},
		head + `"type":"profile.edit","profile":{"patience_ms":null,"voice_id":"v"}}`:     nil,
		head + `"type":"profile.edit","profile":{"patience_ms":1,"correction_mode":"x"}}`: {"profile.correction_mode", "profile.patience_ms"},
		head + `"type":"profile.edit","profile":{"cefr_level":"C2"}}`:                     {"cefr_level"},
		head + `"type":"profile.edit"}`:                                                   {"profile"},
	} {
		m := readMutation(json.RawMessage(body))
		var got []string
		for _, fault := range m.Faults {
			got = append(got, fault.Field)
		}
		if slices.Sort(got); !slices.Equal(got, fields) {
			t.Errorf("%s: faults %q, want %q", body, got, fields)
		}
	}
	m := readMutation(json.RawMessage(head + `"type":"profile.edit","profile":{"patience_ms":null,"voice_id":"v"}}`))
	if p := m.Profile; p.PatienceMS == nil || *p.PatienceMS != 0 || *p.VoiceID != "v" || p.SpeechRate != nil {
		t.Errorf("settings are read as %+v", p)
	}
}

// FuzzReadMutation: nothing makes the reader panic, and what it lets through is within all
// bounds.
func FuzzReadMutation(f *testing.F) {
	const head = `{"id":"` + mutationID + `","entity_id":"` + syncedCard + `","at":"2026-03-04T05:10:00Z",`
	f.Add([]byte(head + `"type":"card.add","card":{"profile_id":"p","front":"a","back":"b","tags":["x"],"level":"a1"}}`))
	f.Add([]byte(head + `"type":"card.edit","card":{"front":"a","tags":[]}}`))
	f.Add([]byte(head + `"type":"review.add","review":{"card_id":"c","rating":3,"duration_ms":9e99,"evidence":{"a":1}}}`))
	f.Add([]byte(head + `"type":"profile.edit","profile":{"speech_rate":0.9,"correction_mode":null}}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := readMutation(raw)
		if len(m.Faults) > 0 {
			return
		}
		if len(m.ID) != 36 || !saneID(m.EntityID) || m.At.IsZero() || m.Kind == "" {
			t.Fatalf("%s is read as %+v", raw, m)
		}
		if m.Kind == learn.MutateReviewAdd && (!m.Review.Rating.Valid() || len(m.Review.Check()) > 0) ||
			m.Kind == learn.MutateCardAdd && len(m.Card.Tidy().Check()) > 0 {
			t.Fatalf("%s is let through as %+v", raw, m)
		}
	})
}

// Everything, page by page.
func TestBootstrap(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	h.store.syncing.boot = learn.Bootstrap{Cursor: 7, Next: "7.cards.x", Changes: learn.SyncChanges{}}
	h.as(access, "GET", "/sync/bootstrap?page=7.cards.&limit=9", nil).want(http.StatusOK).same(
		`{"changes":{"profiles":[],"cards":[],"reviews":[],"deleted":[],"other":[]},"cursor":7,"next":"7.cards.x"}`)
	if h.store.syncing.page != "7.cards." || h.store.syncing.limit != 9 {
		t.Errorf("asked for %q, %d", h.store.syncing.page, h.store.syncing.limit)
	}
	h.store.syncing.boot.Next = ""
	if last := h.as(access, "GET", "/api/sync/bootstrap", nil).want(http.StatusOK).json(); last["next"] != nil {
		t.Errorf("the last page says %v", last)
	}
}

// Changes that are too old are removed, again and again.
func TestOldChangesAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(o *Options) { o.Resumptions = &rows{} })
		ctx, cancel := context.WithCancel(t.Context())
		var sweeping sync.WaitGroup
		sweeping.Go(func() { h.server.sweep(ctx) })
		time.Sleep(2 * sweepEvery)
		cancel()
		sweeping.Wait()
		age := time.Since(h.store.syncing.pruned)
		if age < syncKept || age > syncKept+2*sweepEvery {
			t.Errorf("what is older than %v was removed", age)
		}
	})
}
