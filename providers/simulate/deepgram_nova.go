package simulate

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	// novaWindowMS is how long a window of transcription may be before its result is made final.
	novaWindowMS = 5000
	// novaInterimMS is the longest gap between interim results, also while nobody speaks.
	novaInterimMS = 1000
	// novaIdle is how long the service waits for audio or text (NET-0001).
	novaIdle = 10 * time.Second
	// maxHeader is how much of a container is read in search of its first sample.
	maxHeader = 16 << 10
)

// handleNova serves GET /v1/listen.
func (s *Server) handleNova(w http.ResponseWriter, r *http.Request) {
	id, fault, ok := s.admit(w, r)
	if !ok {
		return
	}
	q, wrong := s.novaQuery(r.URL.Query())
	if wrong != nil {
		wrong.refuse(w, r, id)
		return
	}
	s.opt.Log.Info("deepgram: listening", "path", r.URL.Path, "model", q.model, "language", q.language, "request_id", id)
	s.serveLive(w, r, fault, func(l *liveSocket) recogniser { return &novaLive{l: l, q: q, id: id} })
}

// novaLive is one live session of /v1/listen.
//
// Its results follow the real service's manner: windows that begin where the last
// final ended; an interim for each new word and at least one a second, empty while
// nobody speaks; a final with speech_final at every pause of endpointing, also in
// the middle of a hesitant sentence; a final without it when a window grows long;
// an empty final with both flags on long silence.
type novaLive struct {
	l  *liveSocket
	q  novaQuery
	id string

	ear    *hearing // nil until the audio's rate is known
	header []byte   // of a container, until it is whole
	rest   []byte   // of a sample that is not
	pcm    []int16  // decoding space

	windowMS  int  // where the open window begins
	toldMS    int  // audio position of the last result
	speaking  bool // since speech began, until speech_final
	voiceAt   time.Time
	lastEndMS int // end of the last word
	owed      bool
}

func (n *novaLive) open() {
	if n.q.format.rate > 0 {
		n.ear = newHearing(n.q.format.rate, n.q.script)
	}
}

func (n *novaLive) idleAfter() time.Duration     { return novaIdle }
func (n *novaLive) abrupt() websocket.StatusCode { return websocket.StatusNormalClosure }
func (n *novaLive) failed()                      { n.l.send(n.metadata(), false, 0) }

func (n *novaLive) complaint(text string) any {
	return &novaError{Type: "Error", Variant: "INTERNAL_SERVER_ERROR", Description: text, Message: text}
}

// audio hears a binary message.
func (n *novaLive) audio(b []byte) {
	if n.ear == nil {
		if b = n.container(b); b == nil {
			return
		}
	}
	n.rest = append(n.rest, b...)
	n.pcm, b = n.q.format.decode(n.rest, n.pcm[:0])
	n.rest = append(n.rest[:0], b...)
	n.ear.feed(n.pcm, n.frame)
}

// container looks for a WAV header and returns the audio behind it, nil while it
// is not whole. Anything else cannot be decoded.
func (n *novaLive) container(b []byte) []byte {
	n.header = append(n.header, b...)
	if at := strings.Index(string(n.header), "data"); at >= 0 && len(n.header) >= at+8 {
		if w, err := parseWAV(n.header); err == nil {
			n.q.format = audioFormat{encoding: "linear16", rate: w.rate, channels: 1}
			n.ear = newHearing(w.rate, n.q.script)
			return n.header[at+8:]
		}
	}
	if len(n.header) > maxHeader || len(n.header) >= 4 && string(n.header[:4]) != "RIFF" {
		n.failed()
		n.l.close(websocket.StatusPolicyViolation, "DATA-0000: the payload cannot be decoded as audio")
		n.header = nil
	}
	return nil
}

// frame looks at what the ear made of the last 20 ms.
func (n *novaLive) frame() {
	e := n.ear
	if e.voice && e.quietMS == 0 { // not while it is only held to bridge a gap
		n.voiceAt = time.Now()
	}
	if e.fresh {
		n.owed, n.lastEndMS = true, e.words[len(e.words)-1].endMS
	}
	if e.onset && !n.speaking {
		n.speaking = true
		if n.q.speechStarted {
			n.l.send(&novaSpeechStarted{"SpeechStarted", [2]int{0, 1}, seconds(e.onsetMS)}, false, 0)
		}
	}
	switch {
	case n.speaking && !e.voice && n.q.endpointingMS > 0 && e.quietMS >= n.q.endpointingMS:
		n.speaking = false
		n.final(true, false, n.afterVoice())
	case e.posMS-n.windowMS >= novaWindowMS:
		n.final(!n.speaking && len(e.words) == 0, false, n.partialDelay())
	case n.q.interim && (e.fresh || e.posMS-n.toldMS >= novaInterimMS):
		n.toldMS = e.posMS
		n.l.send(n.results(e.words, 0.9), true, n.partialDelay())
	}
	if n.owed && n.q.utteranceEndMS > 0 && !e.voice && e.posMS-n.lastEndMS >= n.q.utteranceEndMS {
		n.owed = false
		n.l.send(&novaUtteranceEnd{"UtteranceEnd", [2]int{0, 1}, seconds(n.lastEndMS)}, false, 0)
	}
}

// afterVoice is what is left of the final's latency, which counts from the end of speech.
func (n *novaLive) afterVoice() time.Duration {
	return n.l.s.sample(n.l.s.opt.Latency.STTFinal) - time.Since(n.voiceAt)
}

func (n *novaLive) partialDelay() time.Duration { return n.l.s.sample(n.l.s.opt.Latency.STTPartial) }

// final closes the window.
func (n *novaLive) final(speechFinal, fromFinalize bool, delay time.Duration) {
	r := n.results(n.ear.take(), 0.98)
	r.IsFinal, r.SpeechFinal, r.FromFinalize = true, speechFinal, fromFinalize
	n.windowMS, n.toldMS = n.ear.posMS, n.ear.posMS
	n.l.send(r, false, delay)
}

// results makes a result of the open window.
func (n *novaLive) results(words []heardWord, confidence float64) *novaResults {
	return &novaResults{
		Type: "Results", ChannelIndex: [2]int{0, 1},
		Start: seconds(n.windowMS), Duration: seconds(n.ear.posMS - n.windowMS),
		Channel:  novaChannel{Alternatives: []novaAlternative{n.q.alternative(words, confidence)}},
		Metadata: novaMetaInfo{RequestID: n.id, ModelInfo: info(n.q.model), ModelUUID: modelUUID},
	}
}

// alternative spells words as the parameters ask.
func (q *novaQuery) alternative(words []heardWord, confidence float64) novaAlternative {
	a := novaAlternative{Words: []novaWord{}}
	for i, w := range words {
		out := novaWord{Word: w.bare(), Start: seconds(w.startMS), End: seconds(w.endMS), Confidence: confidence}
		text := out.Word
		if q.formatted {
			out.PunctuatedWord, text = w.text, w.text
		}
		if q.multi {
			out.Language = primaryTag(q.language)
		}
		if i > 0 {
			a.Transcript += " "
		}
		a.Transcript += text
		a.Words = append(a.Words, out)
	}
	if len(words) > 0 {
		a.Confidence = confidence
		if q.multi {
			a.Languages = []string{primaryTag(q.language)}
		}
	}
	return a
}

// metadata is sent before every close; it is short when no audio came.
func (n *novaLive) metadata() *novaMetadata {
	m := &novaMetadata{
		Type: "Metadata", TransactionKey: "deprecated", RequestID: n.id, SHA256: "incomplete",
		Created: created(), Channels: n.q.format.channels,
	}
	if n.ear != nil && n.ear.posMS > 0 {
		m.Duration = seconds(n.ear.posMS)
		m.Models = []string{modelUUID}
		m.ModelInfo = map[string]modelInfo{modelUUID: info(n.q.model)}
	}
	return m
}

// control obeys a text message. Unknown types are passed over.
func (n *novaLive) control(b []byte) {
	var m struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		n.failed()
		n.l.close(websocket.StatusPolicyViolation, "DATA-0000: a text message must be JSON")
		return
	}
	switch m.Type {
	case "Finalize":
		if n.ear != nil {
			n.final(false, true, n.partialDelay())
		}
	case "CloseStream":
		n.finish()
	}
}

// finish sends what was heard and not yet final, Metadata, and the close.
func (n *novaLive) finish() {
	if n.ear != nil && len(n.ear.words) > 0 {
		n.final(false, false, n.partialDelay())
	}
	n.failed()
	n.l.close(websocket.StatusNormalClosure, "")
}
