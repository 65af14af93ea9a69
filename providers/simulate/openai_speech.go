package simulate

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// speechRequest is what the simulator reads of a request to speak.
type speechRequest struct {
	Model  string   `json:"model"`
	Input  string   `json:"input"`
	Voice  any      `json:"voice"`
	Format string   `json:"response_format"`
	Speed  *float64 `json:"speed"`
}

// check returns the field that the real service would object to, and how.
func (q *speechRequest) check() (param, problem string) {
	switch n := utf8.RuneCountInString(q.Input); {
	case q.Model == "":
		return "model", "you must provide a model parameter"
	case n == 0:
		return "input", "Input must not be empty."
	case n > maxSpeechInput:
		return "input", fmt.Sprintf("Input must have at most %d characters.", maxSpeechInput)
	case q.Voice == nil || q.Voice == "":
		return "voice", "Field required"
	case q.Speed != nil && (*q.Speed < 0.25 || *q.Speed > 4):
		return "speed", "speed must be between 0.25 and 4.0"
	case !slices.Contains([]string{"", "mp3", "pcm", "wav"}, q.Format):
		return "response_format", "response_format must be mp3, pcm or wav here"
	}
	return "", ""
}

// handleSpeech serves POST /v1/audio/speech: 24 kHz as MP3, the default, or PCM, bare
// or in a WAV file, sent as it would be made.
func (s *Server) handleSpeech(a *openAIAnswer) {
	var q speechRequest
	if status, problem := readBody(a.w, a.r, &q); problem != "" {
		a.refuse(status, openAIError{Message: problem, Type: "invalid_request_error"})
		return
	}
	if param, problem := q.check(); problem != "" {
		a.invalid(param, problem)
		return
	}
	f := s.nextFault(OpenAI)
	if s.before(a.w, a.r, f, true, a.fault) || !s.sleep(a.r.Context(), s.opt.Latency.TTSFirstByte) {
		return
	}
	if f.Kind == FaultGarbage {
		a.w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(a.w, "<html>not a voice</html>")
		return
	}
	rate, speed := openAIRate, 1.0
	if q.Speed != nil {
		speed = *q.Speed
	}
	if f.Kind == FaultWrongRate {
		rate /= 2
	}
	out, err := s.voice.speak(a.r.Context(), q.Input, s.languageOf(q.Input), rate, speed)
	if err != nil {
		return // the client has left
	}
	pack := pcmPacker()
	switch q.Format {
	case "wav":
		a.w.Header().Set("Content-Type", "audio/wav")
		_, _ = a.w.Write(streamedWAVHeader(openAIRate))
	case "pcm":
		a.w.Header().Set("Content-Type", "audio/pcm")
	default:
		a.w.Header().Set("Content-Type", "audio/mpeg")
		pack = mp3Packer(openAIRate, 64000)
	}
	s.sendSpeech(a, out.pcm, pack, f)
}

// sendSpeech sends audio in pieces of 100 ms at the speed of synthesis, with a
// fault after as many of them as it says.
func (s *Server) sendSpeech(a *openAIAnswer, pcm []int16, pack packer, f Fault) {
	flush := http.NewResponseController(a.w)
	const piece = openAIRate / 10
	var pace Delay
	if s.opt.Latency.TTSRealTime > 0 {
		pace.P50 = time.Duration(float64(100*time.Millisecond) / s.opt.Latency.TTSRealTime)
	}
	for n := 0; len(pcm) > 0; n++ {
		if f.Kind != "" && n == f.After {
			switch f.Kind {
			case FaultCut, FaultEnd, FaultStreamError:
				s.abort(a.w)
			case FaultStall:
				_ = flush.Flush()
				s.stall(a.r.Context())
				return
			case FaultHold:
				_ = flush.Flush()
				s.hold(a.r.Context(), f)
			}
		}
		k := min(piece, len(pcm))
		buf := pack(pcm[:k], k == len(pcm))
		pcm = pcm[k:]
		if _, err := a.w.Write(buf); err != nil || flush.Flush() != nil || !s.sleep(a.r.Context(), pace) {
			return
		}
	}
}

// streamedWAVHeader is a WAV header for audio whose length is not known yet.
func streamedWAVHeader(rate uint32) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF"), 0xff, 0xff, 0xff, 0xff)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, 2*rate)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return append(b, 0xff, 0xff, 0xff, 0xff)
}
