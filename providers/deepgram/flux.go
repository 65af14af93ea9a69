package deepgram

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kalami/providers"
)

// fluxQuery makes the parameters of /v2/listen.
func (c *Client) fluxQuery(opt providers.ListenOptions) url.Values {
	language := base(opt.Language)
	hints := []string{language}
	for _, h := range opt.Hints {
		// Others would be refused, and with them the stream.
		if h = base(h); slices.Contains(fluxLanguages[:], h) && !slices.Contains(hints, h) {
			hints = append(hints, h)
		}
	}
	model := c.opt.FluxModel
	if model == "" {
		model = "flux-general-multi"
		if language == "en" && len(hints) == 1 {
			model = "flux-general-en"
		}
	}
	q := url.Values{
		"model":         {model},
		"encoding":      {encoding(opt)},
		"sample_rate":   {strconv.Itoa(opt.SampleRate)},
		"eot_threshold": {strconv.FormatFloat(c.opt.EndThreshold, 'g', -1, 64)},
	}
	if c.opt.EagerThreshold > 0 {
		q.Set("eager_eot_threshold", strconv.FormatFloat(c.opt.EagerThreshold, 'g', -1, 64))
	}
	if strings.HasSuffix(model, "-multi") {
		q["language_hint"] = hints
	}
	if len(opt.Keyterms) > 0 {
		q["keyterm"] = opt.Keyterms
	}
	return q
}

// fluxTurns turns TurnInfo messages into events, one to one. A segment is a turn
// as Flux sees it. It is owned by the reader goroutine.
//
// CloseStream does not end a turn: what the last update held becomes final then.
type fluxTurns struct {
	m fluxMessage

	segment int
	begun   bool
	last    providers.Heard // the turn as last told
}

func (*fluxTurns) endsByClose() bool     { return true }
func (*fluxTurns) finalizeText() string  { return `{"type":"ForceEndTurn"}` }
func (*fluxTurns) keepAliveText() string { return "" }

// receive implements dialect.
func (f *fluxTurns) receive(msg []byte, emit func(providers.Heard)) (bool, error) {
	m := &f.m
	if err := m.decode(msg); err != nil {
		return false, err
	}
	switch m.kind {
	case vendorError:
		return false, &providers.Error{Kind: kindOfCode(m.code), Detail: short("vendor error " + m.code)}
	case fluxTurnInfo:
		f.turn(emit)
	}
	return false, nil
}

// turn passes one TurnInfo on.
func (f *fluxTurns) turn(emit func(providers.Heard)) {
	switch f.m.event {
	case fluxStart:
		f.begin(emit)
	case fluxUpdate:
		if !f.begun && f.m.transcript == "" {
			return // four times a second, while nobody speaks
		}
		f.tell(providers.HeardUpdate, emit)
	case fluxEager:
		if f.m.transcript == "" {
			return // never sent by a vendor that keeps its promise
		}
		f.tell(providers.HeardEagerEnd, emit)
	case fluxResumed:
		if f.last.Kind != providers.HeardEagerEnd {
			f.tell(providers.HeardUpdate, emit)
			return
		}
		f.tell(providers.HeardResumed, emit)
	case fluxEnd:
		if !f.begun && f.m.transcript == "" {
			return
		}
		f.tell(providers.HeardEnd, emit)
		f.segment++
		f.begun, f.last = false, providers.Heard{}
	}
}

// begin opens the segment, once.
func (f *fluxTurns) begin(emit func(providers.Heard)) {
	if f.begun {
		return
	}
	f.begun = true
	f.last = f.heard(providers.HeardStart)
	emit(f.last)
}

// tell emits an event of a segment that is open, or is opened by it.
func (f *fluxTurns) tell(kind providers.HeardKind, emit func(providers.Heard)) {
	f.begin(emit)
	f.last = f.heard(kind)
	emit(f.last)
}

// heard makes an event of the message.
func (f *fluxTurns) heard(kind providers.HeardKind) providers.Heard {
	m := &f.m
	h := providers.Heard{
		Kind: kind, Segment: f.segment, Text: m.transcript, Language: m.language,
		Words: m.words.build(m.transcript, make([]providers.Word, 0, len(m.words.scratch))),
		EndMS: millis(m.windowEnd),
	}
	switch n := len(h.Words); {
	case n > 0:
		h.StartMS, h.EndMS = h.Words[0].StartMS, h.Words[n-1].EndMS
		for _, w := range h.Words {
			h.Confidence += w.Confidence / float64(n)
		}
	case f.last.Kind != 0:
		h.StartMS = f.last.StartMS
	default:
		// The window began where the last turn ended, perhaps minutes ago.
		h.StartMS = h.EndMS
	}
	return h
}

// finish implements dialect.
func (f *fluxTurns) finish(emit func(providers.Heard)) {
	if f.begun {
		f.last.Kind = providers.HeardEnd
		emit(f.last)
	}
}

// kindOfCode sorts the codes of fatal errors.
func kindOfCode(code string) providers.Kind {
	if strings.HasPrefix(code, "UNPARSABLE") || strings.HasPrefix(code, "INVALID") {
		return providers.Invalid
	}
	return providers.Unavailable
}
