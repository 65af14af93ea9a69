package learn

// AutoCards are the cards that a message gives by itself to a learner who wants that: the
// right form of each mistake that was shown and that hinders understanding, and what was said
// in their own language in the language learned. Minor mistakes are left to the report, which
// suggests. The worst mistakes come first, then missing words; each answer once.
func (s CardSource) AutoCards() []Card {
	var cards []Card
	seen := map[string]bool{}
	add := func(c Card, ok bool) {
		if key := CardKey(c.Back); ok && !seen[key] && len(c.Tidy().Check()) == 0 {
			seen[key] = true
			cards = append(cards, c)
		}
	}
	for _, severity := range []Severity{Blocking, Major} {
		for _, c := range s.Corrections {
			if c.Severity == severity && !c.Withheld {
				add(s.CorrectionCard(c.ID))
			}
		}
	}
	for _, w := range s.L1Words {
		c, ok := s.TextCard(w.Text, "")
		add(c, ok && c.Origin == FromL1)
	}
	return cards
}
