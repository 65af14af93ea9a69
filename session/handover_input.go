package session

import "kalami/session/learn"

// NextInput is the first frame of the microphone that whoever goes on with h has to hear,
// where messages are stored up to one: what is said in pending messages is stored from h,
// and would be there twice if it were heard again.
func (h Handover) NextInput(stored learn.InputMark) learn.InputMark {
	for _, m := range h.Pending {
		if stored.Before(m.Input) {
			stored = m.Input
		}
	}
	return stored
}
