package simulate

import (
	"encoding/base64"
	"net/http"
	"time"
	"unicode/utf8"
)

// elevenPieceMS is how much audio one message or one written chunk carries.
const elevenPieceMS = 150

// elevenRequest is the body of a synthesis over HTTP.
type elevenRequest struct {
	Text     *string       `json:"text"`
	Model    string        `json:"model_id"`
	Language string        `json:"language_code"`
	Settings elevenVoicing `json:"voice_settings"`
	Previous string        `json:"previous_text"`
	Next     string        `json:"next_text"`
	Seed     *int64        `json:"seed"`
}

// elevenVoicing are voice settings; unset ones are nil.
type elevenVoicing struct {
	Stability  *float64 `json:"stability"`
	Similarity *float64 `json:"similarity_boost"`
	Style      *float64 `json:"style"`
	Boost      *bool    `json:"use_speaker_boost"`
	Speed      *float64 `json:"speed"`
}

// problem says which setting is out of its range, or "". All are checked; of the way of
// speaking only the speed is heard.
func (v elevenVoicing) problem() string {
	for name, share := range map[string]*float64{"stability": v.Stability, "similarity_boost": v.Similarity, "style": v.Style} {
		if share != nil && (*share < 0 || *share > 1) {
			return name + " must be between 0 and 1"
		}
	}
	if v.Speed != nil && (*v.Speed < 0.7 || *v.Speed > 1.2) {
		return "speed must be between 0.7 and 1.2"
	}
	return ""
}

// elevenSpeech serves synthesis over HTTP: whole or streamed, bare audio or JSON
// with the place of each character.
func (s *Server) elevenSpeech(stream, timestamps bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, f, ok := s.admitEleven(w, r, false)
		if !ok {
			return
		}
		q, refusal := parseElevenQuery(r, false)
		var body elevenRequest
		if refusal == nil {
			refusal = readEleven(w, r, &body)
		}
		if refusal == nil {
			q.model, q.lang = body.Model, body.Language
			refusal = q.checkLanguage()
		}
		if refusal != nil {
			s.refuseEleven(w, id, *refusal)
			return
		}
		if !s.sleep(r.Context(), s.opt.Latency.TTSFirstByte) {
			return
		}
		rate := q.format.rate
		if f.Kind == FaultWrongRate {
			rate = rate * 2 / 3
		}
		speed := 1.0
		if body.Settings.Speed != nil {
			speed = *body.Settings.Speed
		}
		sp, err := s.voice.speak(r.Context(), *body.Text, q.lang, rate, speed)
		if err != nil {
			return // the client has left
		}
		a := elevenAnswer{s, w, r, f, q.format, stream}
		if timestamps {
			a.withTimestamps(sp)
		} else {
			a.bare(sp)
		}
	}
}

// readEleven reads and checks the body.
func readEleven(w http.ResponseWriter, r *http.Request, body *elevenRequest) *Fault {
	if _, problem := readBody(w, r, body); problem != "" {
		return &Fault{Status: http.StatusUnprocessableEntity, Message: problem}
	}
	switch {
	case body.Text == nil || *body.Text == "":
		return &Fault{Status: http.StatusUnprocessableEntity, Message: "text: Field required"}
	case utf8.RuneCountInString(*body.Text) > elevenMaxCharacters:
		return &Fault{Status: http.StatusBadRequest, Message: "max_character_limit_exceeded: The text is longer than 40000 characters."}
	case body.Settings.problem() != "":
		return &Fault{Status: http.StatusUnprocessableEntity, Message: "voice_settings: " + body.Settings.problem()}
	}
	return nil
}

// elevenAnswer is one synthesis being answered.
type elevenAnswer struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	fault  Fault
	format elevenFormat
	stream bool
}

// bare sends the audio alone.
func (a elevenAnswer) bare(sp speech) {
	a.w.Header().Set("Content-Type", a.format.mediaType())
	encode := a.format.packer()
	a.pieces(sp, func(pcm []int16, _, to int) []byte { return encode(pcm, to > len(sp.pcm)) })
}

// withTimestamps sends JSON objects, one a line. Times count from the start of
// the answer.
func (a elevenAnswer) withTimestamps(sp speech) {
	a.w.Header().Set("Content-Type", "application/json")
	encode := a.format.packer()
	a.pieces(sp, func(pcm []int16, from, to int) []byte {
		al := elevenSeconds(sp.marks, from, to, a.format.rate)
		return append(mustJSON(map[string]any{
			"audio_base64": base64.StdEncoding.EncodeToString(encode(pcm, to > len(sp.pcm))),
			"alignment":    al, "normalized_alignment": al,
		}), '\n')
	})
}

// elevenSeconds is the HTTP form of the characters that begin in [from, to).
func elevenSeconds(marks []spokenChar, from, to, rate int) map[string]any {
	chars, start, end := []string{}, []float64{}, []float64{}
	for _, m := range marks {
		if m.start >= from && m.start < to {
			chars = append(chars, m.char)
			start = append(start, float64(m.start*1000/rate)/1000)
			end = append(end, float64(m.end*1000/rate)/1000)
		}
	}
	return map[string]any{"characters": chars, "character_start_times_seconds": start, "character_end_times_seconds": end}
}

// pieces writes the speech as it is made, with the fault after as many pieces as
// it says. An answer that is not streamed is one piece. The to of the last piece is
// beyond the end.
func (a elevenAnswer) pieces(sp speech, pack func(pcm []int16, from, to int) []byte) {
	flush := http.NewResponseController(a.w)
	n := a.format.rate * elevenPieceMS / 1000
	if !a.stream {
		n = max(1, len(sp.pcm))
	}
	for from, sent := 0, 0; from < len(sp.pcm); from, sent = from+n, sent+1 {
		if a.fault.Kind != "" && sent == a.fault.After && a.misbehave() {
			return
		}
		to := min(from+n, len(sp.pcm))
		until := to
		if to == len(sp.pcm) {
			until++ // a character without a length at the very end belongs here too
		}
		if _, err := a.w.Write(pack(sp.pcm[from:to], from, until)); err != nil || flush.Flush() != nil {
			return
		}
		if !a.s.sleep(a.r.Context(), a.s.pace(to-from, a.format.rate)) {
			return
		}
	}
}

// misbehave plays the fault; true when the answer is over.
func (a elevenAnswer) misbehave() bool {
	switch a.fault.Kind {
	case FaultCut:
		a.s.abort(a.w)
	case FaultStall:
		_ = http.NewResponseController(a.w).Flush()
		a.s.stall(a.r.Context())
	case FaultHold:
		_ = http.NewResponseController(a.w).Flush()
		a.s.hold(a.r.Context(), a.fault)
		return false
	case FaultStreamError:
		_, _ = a.w.Write(append(mustJSON(map[string]any{"detail": elevenDetail{Status: "internal_error", Message: "Something went wrong."}}), '\n'))
	case FaultGarbage:
		_, _ = a.w.Write([]byte("<html>not what was asked for</html>\n"))
	case FaultUnknown:
		_, _ = a.w.Write([]byte("{\"news\":{\"audio_base64\":17}}\n"))
		return false
	case FaultEnd:
	default:
		return false
	}
	return true
}

// pace is how long it takes to make n samples.
func (s *Server) pace(n, rate int) Delay {
	if s.opt.Latency.TTSRealTime <= 0 {
		return Delay{}
	}
	audio := time.Duration(n) * time.Second / time.Duration(rate)
	return Delay{P50: time.Duration(float64(audio) / s.opt.Latency.TTSRealTime)}
}
