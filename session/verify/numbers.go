package verify

import "strings"

// numbersAreWhole is I3: each client's events are numbered without holes across its
// sockets, responses begin before they end and end once, and stored messages are numbered
// from 1 without holes.
func numbersAreWhole(f *caseFile, id Invariant) {
	names, places := f.writers()
	for _, name := range names {
		c := clientEvents{file: f, id: id}
		for _, i := range places[name] {
			c.see(i)
		}
	}
	if f.stored == nil {
		return
	}
	for i, m := range f.stored.Messages {
		if m.Seq != i+1 {
			f.violated(id, f.lastCommit(m.UtteranceID), "the message after number %d has number %d", i, m.Seq)
			return
		}
	}
	if next := f.stored.Conversation.NextSeq; next != 0 && next != len(f.stored.Messages)+1 {
		f.violated(id, -1, "the next message would have number %d after %d messages", next, len(f.stored.Messages))
	}
}

// clientEvents follows one client's events.
type clientEvents struct {
	file *caseFile
	id   Invariant

	started bool
	last    uint64
	done    map[string]bool // responses and items that are over
	begun   map[string]bool // responses
}

func (c *clientEvents) see(i int) {
	switch fact := c.file.records[i].Fact.(type) {
	case Connected:
		c.connected(i, fact)
	case EventReceived:
		if c.started && fact.Seq != c.last+1 {
			c.file.violated(c.id, i, "event %d follows event %d", fact.Seq, c.last)
		}
		c.started, c.last = true, fact.Seq
		c.turn(i, fact)
	}
}

// connected judges a socket's first event.
func (c *clientEvents) connected(i int, fact Connected) {
	switch {
	case fact.How == "created":
		if fact.Seq != 1 {
			c.file.violated(c.id, i, "a new session's first event has number %d", fact.Seq)
		}
	case fact.How == "restarted":
		if fact.Seq <= c.last {
			c.file.violated(c.id, i, "restarted with number %d, after event %d", fact.Seq, c.last)
		}
	case fact.How != "resumed":
		c.file.violated(c.id, i, "a socket begins with %q", fact.How)
	case c.started && (fact.Seq != c.last || fact.LastSeq != c.last):
		c.file.violated(c.id, i, "resumed with number %d, asked for what follows %d, after event %d", fact.Seq, fact.LastSeq, c.last)
	}
	if fact.How != "resumed" || !c.started {
		c.begun, c.done = map[string]bool{}, map[string]bool{}
	}
	c.started, c.last = true, fact.Seq
}

// turn judges what an event says of a response or an item. A response that was begun
// before this client knows of it may end.
func (c *clientEvents) turn(i int, ev EventReceived) {
	if c.begun == nil {
		return // the history does not show how the socket began
	}
	switch {
	case ev.Type == "conversation.item.done":
		if ev.Item != "" && c.done[ev.Item] {
			c.file.violated(c.id, i, "item %s is done twice", ev.Item)
		}
		c.done[ev.Item] = true
	case ev.Response == "":
	case c.done[ev.Response] && strings.HasPrefix(ev.Type, "response."):
		c.file.violated(c.id, i, "%s of response %s after it was done", ev.Type, ev.Response)
	case ev.Type == "response.created":
		c.begun[ev.Response] = true
	case ev.Type == "response.done":
		c.done[ev.Response] = true
	}
}
