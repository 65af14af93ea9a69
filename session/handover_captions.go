package session

// shown is how far a client was shown a reply's captions. A voice says where a word ends
// only with what follows it, so that the audio of a sentence may be with the client before
// the caption of its last word: whoever goes on with the reply behind that sentence tells
// what is missing. What is known of it stands in the events that the client has or is sent
// again, and not in the state, which they overtake.
type shown struct {
	known bool // the events say where the reply's latest stream began
	to    int  // bytes of the text
	marks int  // sentences
	done  bool // that was all
	anew  bool // the client forgets all of them, and tells no marks again that it has told
}

// Shown notes an event that the client has been sent, or is sent again when it is back:
// all of them are to be noted, in their order, after [Handover.Reconciled]. It changes h's
// reply alone.
func (h *Handover) Shown(ev Event) {
	o := h.Reply
	if o == nil || o.ResponseID == "" {
		return
	}
	switch e := ev.(type) {
	case ResponseCreated:
		if e.Response.ID == o.ResponseID {
			o.shown = o.before(e.Stream)
		}
	case CaptionDelta:
		if e.ResponseID == o.ResponseID && !e.Filler {
			o.shown.to += len(e.Delta)
		}
	case Mark:
		if e.ResponseID == o.ResponseID {
			o.shown.marks++
		}
	case CaptionDone:
		if e.ResponseID == o.ResponseID {
			o.shown.done = true
		}
	}
}

// ShownAnew has all captions of the reply told again, to a client of which nobody knows what
// it was shown; r, which may be nil, tells it so.
func (h *Handover) ShownAnew(r *ResumedResponse) {
	if h.Reply != nil && r != nil && r.Action != ActionTruncated {
		h.Reply.shown, r.Captions = shown{known: true, anew: true}, true
	}
}

// before is what was shown of the reply when a stream of it began. Where an earlier one
// than the last began is not kept: what it showed is not counted until the last begins.
func (o *OpenReply) before(stream uint16) shown {
	s := shown{known: stream == o.Stream}
	if !s.known {
		return s
	}
	for _, end := range o.Sentences {
		if end.EndMS <= o.FromMS {
			s.to, s.marks = end.To, s.marks+1
		}
	}
	return s
}

// showRest tells the captions and marks of what the client has whole and was not shown: one
// for each sentence, since the control lane has room for few.
func (c *conductor) showRest(r *reply, o *OpenReply, s seam) {
	if !o.shown.known {
		return
	}
	from, start, sentences := o.shown.to, -1, 0
	for _, w := range r.line.words {
		if w.To > from && start < 0 {
			start = w.StartMS
		}
		ends := endsWithSentence(r.line.text[w.From:w.To])
		if ends {
			sentences++
		}
		if start >= 0 && (ends || w.To == s.text) {
			c.emit(CaptionDelta{ResponseID: o.ResponseID, ItemID: o.ItemID, Delta: r.line.text[from:w.To], AudioStartMS: int64(start)})
			from, start = w.To, -1
		}
		if ends && sentences > o.shown.marks && !(o.shown.anew && float64(w.EndMS) <= s.playedMS) {
			c.emit(Mark{ResponseID: o.ResponseID, Name: sentenceMark(sentences), AtMS: int64(w.EndMS)})
		}
	}
	if s.action == ActionContinue && !o.shown.done {
		c.emit(CaptionDone{ResponseID: o.ResponseID, ItemID: o.ItemID, Transcript: o.Text})
	}
}
