package verify

// heardIsStored is I6. Of each item of the tutor's that a client has heard something of
// and that is stored: every sentence heard is in the stored text, at its place and to the
// word; what the client says it heard in the end is what is stored; no sentence was heard
// twice, but for one at each break that the client was told of. When the conversation has
// ended as it should, all that was heard since its last session began is stored. What was
// heard on the last socket of a session that could not be taken up again is not judged,
// since its client could not say that it had heard it.
func heardIsStored(f *caseFile, id Invariant) {
	kept, _ := f.kept()
	names, places := f.writers()
	for _, name := range names {
		heard := map[string]int{} // words, by item
		anew, unheard := f.lastAnew(places[name]), f.unreported(places[name])
		for _, i := range places[name] {
			if unheard[i] {
				continue
			}
			switch fact := f.records[i].Fact.(type) {
			case SentenceHeard:
				f.sentence(id, i, fact, heard[fact.Item], kept, i > anew)
				heard[fact.Item] = max(heard[fact.Item], fact.Words)
			case PlaybackOver:
				f.over(id, i, fact, heard[fact.Item], kept)
			}
		}
	}
}

// lastAnew returns the last of a client's records where its session was begun anew or
// restarted: what it had heard before and is not stored was void from there on. When the
// answer to a return was lost, the next one has session.restarted among what it replays.
func (f *caseFile) lastAnew(places []int) int {
	last := -1
	for _, i := range places {
		switch fact := f.records[i].Fact.(type) {
		case Connected:
			if fact.How != "resumed" {
				last = i
			}
		case EventReceived:
			if fact.Type == restartedEvent {
				last = i
			}
		}
	}
	return last
}

// restartedEvent tells a client what holds now, where what it has missed cannot be proven.
const restartedEvent = "session.restarted"

// unreported returns which of a client's records no server may have been told of: those of
// a session that it lost on its last socket, before it began another.
func (f *caseFile) unreported(places []int) map[int]bool {
	lost, since := map[int]bool{}, 0
	for k, i := range places {
		if c, ok := f.records[i].Fact.(Connected); ok {
			if c.How == "created" {
				for _, before := range places[since:k] {
					lost[before] = true
				}
			}
			since = k
		}
	}
	return lost
}

// sentence judges a sentence that was heard after the first words of its item; counts says
// that it must be stored in the end.
func (f *caseFile) sentence(id Invariant, i int, s SentenceHeard, words int, kept map[string]keptMessage, counts bool) {
	if s.Words <= words && !s.Again {
		f.violated(id, i, "a sentence of %s was heard again: it ends at word %d, and %d were heard", s.Item, s.Words, words)
	}
	m, ok := kept[s.Item]
	switch {
	case !ok:
		if counts && f.stored != nil && f.stored.Conversation.EndReason == "normal" {
			f.violated(id, i, "item %s was heard and is not stored, and its conversation has ended as it should", s.Item)
		}
	case m.heard.Words < s.Words:
		f.violated(id, i, "of item %s %d words were heard, and %d are stored as heard", s.Item, s.Words, m.heard.Words)
	case m.heardWords != nil && HashWords(m.heardWords[:s.Words]) != s.Hash:
		f.violated(id, i, "of item %s the first %d words that were heard are not those that are stored", s.Item, s.Words)
	}
}

// over judges a client's last word about an item.
func (f *caseFile) over(id Invariant, i int, o PlaybackOver, words int, kept map[string]keptMessage) {
	m, ok := kept[o.Item]
	switch {
	case o.Words == 0:
	case o.Words < words:
		f.violated(id, i, "item %s is over at word %d, and %d were heard", o.Item, o.Words, words)
	case ok && m.heard != o.Text:
		f.violated(id, i, "of item %s %d words (%s) were heard, and %d (%s) are stored as heard",
			o.Item, o.Words, o.Hash, m.heard.Words, m.heard.Hash)
	case ok && o.Cut && !m.interrupted && m.content != m.heard:
		f.violated(id, i, "item %s was cut and is stored as heard to its end", o.Item)
	}
}
