package session

import (
	"math"
	"slices"
	"strings"
	"time"
)

// reach is how much further a client may have played than it said when it came back,
// before the answer reaches it.
const reach = time.Second

// Counted is p as far as it counts, for a client that has seen the events up to lastSeq. One
// that does not know of the stream in which its reply goes on since the last break, because
// the answer to its return was lost, plays on in the stream before: what it has of that from
// the new one's beginning on does not count, and is spoken again.
func (h Handover) Counted(p *PlaybackState, lastSeq uint64) *PlaybackState {
	o := h.Reply
	if o == nil || p == nil || p.ResponseID != o.ResponseID || lastSeq >= o.Announced {
		return p
	}
	return p.before(float64(o.FromMS))
}

// before is p without what lies after a place in the audio.
func (p *PlaybackState) before(ms float64) *PlaybackState {
	played := min(amount(p.PlayedMS), ms)
	return &PlaybackState{ResponseID: p.ResponseID, PlayedMS: played, BufferedMS: min(amount(p.BufferedMS), ms-played)}
}

// Again is how a reply goes on, and p as far as it counts, for a client that comes back once
// more, having played p by now, and was not reached by the answer r, which is of
// [ActionRespeak]; see [Handover.Counted].
func (r ResumedResponse) Again(p *PlaybackState) (ResumedResponse, *PlaybackState) {
	if p == nil || p.ResponseID != r.ID {
		return r, p
	}
	cut, played := float64(r.AudioEndMS), amount(p.PlayedMS)
	r.Repeat = r.Repeat || repeats(played, played+amount(p.BufferedMS), cut)
	return r, p.before(cut)
}

// repeats says whether something is heard twice when audio is cut of which a client had
// played so much, and has so much.
func repeats(played, has, cut float64) bool {
	return played > cut || has > cut && cut-played <= float64(reach.Milliseconds())
}

// GoOn says how the reply that was under way goes on for a client that had played p of
// it; p may be nil, for a player that holds nothing. It is nil when there is no reply, or
// none that the client has heard of. h should be [Handover.Reconciled], and p be
// [Handover.Counted]. It depends on h and p alone, so that whoever restores the session comes to the same.
//
//   - A reply that was stopped is over: it is kept as far as it was heard, be that stored
//     already. A client whose player still holds some of it does not know, and plays on until
//     the order reaches it, which follows: only then it says what it has played.
//   - A reply of which the client holds all is played to its end.
//   - Of any other, what begins with the first sentence that the client does not hold
//     whole is spoken, and then, if there is more to come, the tutor is asked to go on
//     from the last whole sentence; with no whole sentence, for the reply as a whole.
func (h Handover) GoOn(p *PlaybackState) *ResumedResponse {
	if o := h.settled; o != nil && h.as.Interrupted {
		return &ResumedResponse{ID: o.ResponseID, ItemID: o.ItemID, Action: ActionTruncated, AudioEndMS: h.as.Audio.Milliseconds()}
	}
	if h.Reply == nil || h.Reply.ResponseID == "" {
		return nil
	}
	s := h.Reply.seam(p)
	if s.playsOn {
		s.action = ActionContinue
	}
	return &ResumedResponse{ID: h.Reply.ResponseID, ItemID: h.Reply.ItemID, Action: s.action, AudioEndMS: int64(s.audioMS), Repeat: s.repeat}
}

// seam is where the two halves of a reply meet that began on one node and ends on another.
type seam struct {
	action string
	// sentences are had whole by the client, text bytes of the reply and audioMS long.
	sentences, text, audioMS int
	// kept is how much of the text stays, in bytes: the tutor goes on from there.
	kept int
	// played of what is had; reported says that this is the client's word
	playedMS float64
	reported bool
	repeat   bool
	// playsOn: it was stopped, and the client has more of it to play
	playsOn bool
}

// seam finds the place for a client that had played p.
func (o *OpenReply) seam(p *PlaybackState) seam {
	s := seam{action: ActionRespeak, playedMS: float64(o.PlayedMS)}
	has := s.playedMS
	if p != nil && p.ResponseID == o.ResponseID {
		s.playedMS, s.reported = amount(p.PlayedMS), true
		has = s.playedMS + amount(p.BufferedMS)
	}
	if o.Interrupted != "" {
		s.action, s.playedMS = ActionTruncated, min(s.playedMS, float64(o.SentMS))
		s.audioMS, s.sentences, s.text, s.kept = int(s.playedMS), len(o.Sentences), len(o.Text), len(o.Text)
		s.playsOn = s.reported && has > s.playedMS && s.playedMS < float64(o.SentMS)
		return s
	}
	for _, end := range o.Sentences {
		if float64(end.EndMS) > math.Round(has) {
			break
		}
		s.sentences, s.text, s.audioMS = s.sentences+1, end.To, end.EndMS
	}
	s.kept = len(o.Text)
	switch {
	case !o.Complete:
		s.kept = max(s.text, lastSentence(o.Text))
	case s.text == len(o.Text) && s.text > 0:
		s.action, s.playedMS = ActionContinue, min(s.playedMS, float64(s.audioMS))
		return s
	}
	cut := float64(s.audioMS)
	s.repeat = repeats(s.playedMS, has, cut)
	s.playedMS = min(s.playedMS, cut)
	return s
}

// sound is the reply without what cannot be, so that whatever was kept can be relied on:
// sentences rise, within the text, and no length is less than nothing.
func (o OpenReply) sound() OpenReply {
	o.SentMS, o.PlayedMS, o.Tokens = max(0, o.SentMS), max(0, o.PlayedMS), max(0, o.Tokens)
	var last SpokenSentence
	o.Sentences = slices.DeleteFunc(slices.Clone(o.Sentences), func(s SpokenSentence) bool {
		if s.To <= last.To || s.To > len(o.Text) || s.EndMS < last.EndMS {
			return true
		}
		last = s
		return false
	})
	to, ms := 0, 0
	for i := 0; i+1 < len(o.Words); i += 2 {
		if o.Words[i] <= to || o.Words[i] > len(o.Text) || o.Words[i+1] < ms {
			o.Words = nil
			break
		}
		to, ms = o.Words[i], o.Words[i+1]
	}
	return o
}

// lastSentence returns where the last whole sentence of text ends, in bytes, with the
// white space behind it; 0 when there is none.
func lastSentence(text string) int {
	end := 0
	for from := 0; from < len(text); {
		to := wordEnd(text, from)
		if endsWithSentence(strings.TrimSpace(text[from:to])) {
			end = to
		}
		from = to
	}
	return end
}
