package gateway

import (
	"context"
	"encoding/json"

	"kalami/session/learn"
)

// topicCardAdded carries a [learn.Card] that is stored, as JSON.
const topicCardAdded = "card_added"

// cardsWaiting is how many cards wait for a session to tell its client of them; those that
// come to a full queue are not told.
const cardsWaiting = 8

// tellCardAdded tells the sessions of a card's learner, on all nodes, that there is a card
// more: it was mostly made by a tap on a word of the talk. A notice may be lost; the card is
// in the list all the same.
func (s *Server) tellCardAdded(ctx context.Context, card learn.Card) {
	if s.opts.Nodes == nil {
		s.live.cardAdded(card)
		return
	}
	payload, err := json.Marshal(card)
	if err == nil {
		err = s.opts.Nodes.Publish(context.WithoutCancel(ctx), topicCardAdded, string(payload))
	}
	if err != nil {
		s.log.Warn("sessions were not told of a card", "card", card.ID, "err", err)
	}
}

// heedCardAdded takes a notice of a node, this one or another.
func (s *Server) heedCardAdded(payload string) {
	var card learn.Card
	if json.Unmarshal([]byte(payload), &card) == nil {
		s.live.cardAdded(card)
	}
}

// cardAdded passes a card on to its learner's sessions on this node. It does not block.
func (r *registry) cardAdded(card learn.Card) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.talks {
		if s.user != card.UserID {
			continue
		}
		select {
		case s.cards <- card:
		default:
		}
	}
}
