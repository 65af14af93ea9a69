package deepgram

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kalami/providers"
)

// novaQuery makes the parameters of /v1/listen.
func (c *Client) novaQuery(opt providers.ListenOptions) url.Values {
	q := url.Values{
		"model":            {c.opt.NovaModel},
		"language":         {opt.Language},
		"encoding":         {encoding(opt)},
		"sample_rate":      {strconv.Itoa(opt.SampleRate)},
		"channels":         {"1"},
		"interim_results":  {"true"},
		"utterance_end_ms": {strconv.Itoa(c.opt.UtteranceEndMS)},
		"vad_events":       {"true"},
		"smart_format":     {"true"},
		"punctuate":        {"true"},
	}
	endpointing := c.opt.EndpointingMS
	if len(opt.Hints) > 0 {
		q.Set("language", "multi")
		// What is being learned comes first.
		q["language_hint"] = append([]string{opt.Language}, opt.Hints...)
		if endpointing == 0 {
			endpointing = 100
		}
	}
	if endpointing == 0 {
		endpointing = 300
	}
	q.Set("endpointing", strconv.Itoa(endpointing))
	if strings.HasPrefix(c.opt.NovaModel, "nova-3") { // older models refuse the parameter
		q["keyterm"] = opt.Keyterms
	}
	return q
}

// novaTurns turns Nova's results into segments. It is owned by the reader goroutine.
//
// Nova transcribes in windows: interim results replace each other, a final one
// closes its window, and several windows make up what was said between two
// pauses. A segment is the finals since the last end plus the window's hypothesis.
// It ends by
//
//   - speech_final, the energy detector's pause;
//   - from_finalize, the answer to Finalize;
//   - UtteranceEnd, when noise hid the pause: at once if every window of the
//     segment is closed, else with the final that closes the last one. After
//     speech_final it finds no segment open and means nothing.
//
// A final without words on silence ends a segment only if one was begun.
type novaTurns struct {
	m novaMessage

	segment int
	begun   bool // HeardStart was emitted for this segment
	ending  bool // UtteranceEnd came while a window was open
	startMS int

	text    string // the closed windows
	words   []providers.Word
	interim struct { // the open window
		text  string
		words []providers.Word
	}
	endMS      int
	language   string
	confidence float64 // sum over finals, weighted by words
	weight     float64
}

func (*novaTurns) endsByClose() bool     { return false }
func (*novaTurns) finalizeText() string  { return `{"type":"Finalize"}` }
func (*novaTurns) keepAliveText() string { return `{"type":"KeepAlive"}` }

// receive implements dialect.
func (n *novaTurns) receive(msg []byte, emit func(providers.Heard)) (bool, error) {
	m := &n.m
	if err := m.decode(msg); err != nil {
		return false, err
	}
	switch m.kind {
	case novaSpeechStarted:
		n.begin(millis(m.timestamp), emit)
	case novaResults:
		if m.isFinal {
			n.final(emit)
		} else {
			n.partial(emit)
		}
	case novaUtteranceEnd:
		if n.interim.text != "" {
			n.ending = true
		} else if n.text != "" {
			n.end(emit)
		}
	case novaMetadata:
		return true, nil
	case vendorError:
		return false, &providers.Error{Kind: providers.Unavailable, Detail: short("vendor error " + m.code)}
	}
	return false, nil
}

// begin opens the segment, once.
func (n *novaTurns) begin(startMS int, emit func(providers.Heard)) {
	if n.begun {
		return
	}
	n.begun, n.startMS, n.endMS = true, startMS, startMS
	emit(providers.Heard{Kind: providers.HeardStart, Segment: n.segment, StartMS: startMS, EndMS: startMS})
}

// hear takes the words of the message and says whether there are any. It opens
// the segment when SpeechStarted did not.
func (n *novaTurns) hear(dst []providers.Word, emit func(providers.Heard)) []providers.Word {
	m := &n.m
	from := len(dst)
	dst = m.words.build(m.transcript, dst)
	startMS, endMS := millis(m.start), millis(m.start+m.duration)
	if len(dst) > from {
		startMS, endMS = dst[from].StartMS, dst[len(dst)-1].EndMS
	}
	if m.language != "" {
		n.language = m.language
	}
	n.begin(startMS, emit)
	n.endMS = endMS
	return dst
}

// partial replaces the open window's hypothesis.
func (n *novaTurns) partial(emit func(providers.Heard)) {
	if n.m.transcript == "" {
		return // once a second, while nobody speaks
	}
	n.interim.text = n.m.transcript
	n.interim.words = n.hear(make([]providers.Word, 0, len(n.m.words.scratch)), emit)
	emit(n.heard(providers.HeardUpdate))
}

// final closes the window.
func (n *novaTurns) final(emit func(providers.Heard)) {
	m := &n.m
	n.interim.text, n.interim.words = "", nil
	if m.transcript != "" {
		n.words = n.hear(n.words, emit)
		n.text = join(n.text, m.transcript)
		w := float64(max(len(m.words.scratch), 1))
		n.confidence += m.confidence * w
		n.weight += w
	}
	switch {
	case m.speechFinal || m.fromFinalize || n.ending && n.text != "":
		if n.begun {
			n.end(emit)
		}
	case m.transcript != "":
		emit(n.heard(providers.HeardUpdate))
	}
}

// end closes the segment with what its windows hold.
func (n *novaTurns) end(emit func(providers.Heard)) {
	h := n.heard(providers.HeardEnd)
	if n.weight > 0 {
		h.Confidence = n.confidence / n.weight
	}
	emit(h)
	*n = novaTurns{m: n.m, segment: n.segment + 1}
}

// finish implements dialect: what was said last ends with the stream.
func (n *novaTurns) finish(emit func(providers.Heard)) {
	if n.begun {
		n.end(emit)
	}
}

// heard makes an event of the whole segment as understood now.
func (n *novaTurns) heard(kind providers.HeardKind) providers.Heard {
	h := providers.Heard{
		Kind: kind, Segment: n.segment, Text: join(n.text, n.interim.text), Words: n.interim.words,
		StartMS: n.startMS, EndMS: n.endMS, Confidence: n.m.confidence, Language: n.language,
		Final: len(n.words),
	}
	if len(n.words) > 0 {
		h.Words = slices.Concat(n.words, n.interim.words)
	}
	return h
}

// join puts two stretches of text together.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
