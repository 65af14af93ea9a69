package gateway

import (
	"encoding/json"
	"net/http"
	"testing"
)

// A card that a learner adds while they talk is told to their sessions, and to nobody else's;
// one that was there already is not. What nobody takes does not hold anybody up.
func TestCardAddedIsTold(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	id := func(token string) string {
		return h.as(token, "GET", "/auth/me", nil).want(http.StatusOK).json()["id"].(string)
	}
	sit := func(user, conversation string) *seat {
		s, err := h.server.live.take(user)
		if err != nil {
			t.Fatal(err)
		}
		s.claim(conversation, 1)
		return s
	}
	hers, his := sit(id(access), "c-ana"), sit(id(bo), "c-bo")
	defer hers.leave()
	defer his.leave()
	add := `{"profile_id":"` + h.profileOf(access, "es") + `","id":"k1","front":"house","back":"la casa"}`
	h.as(access, "POST", "/vocabulary", add).want(http.StatusCreated)
	h.as(access, "POST", "/vocabulary", add).want(http.StatusCreated)
	if card := <-hers.cards; card.ID != "k1" || card.Back != "la casa" || len(hers.cards) != 0 || len(his.cards) != 0 {
		t.Errorf("told %+v, and %d more; another learner %d", card, len(hers.cards), len(his.cards))
	}
	// From another node, and more than anybody takes.
	payload, err := json.Marshal(h.cards.cards[0])
	if err != nil {
		t.Fatal(err)
	}
	h.server.heedCardAdded("no JSON")
	for range cardsWaiting + 3 {
		h.server.heedCardAdded(string(payload))
	}
	if len(hers.cards) != cardsWaiting || len(his.cards) != 0 {
		t.Errorf("%d cards wait, and %d for somebody else", len(hers.cards), len(his.cards))
	}
}
