package simulate

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routesElevenLabs registers ElevenLabs' speech synthesis and voice list.
func (s *Server) routesElevenLabs() {
	const voice = "/v1/text-to-speech/{voice}"
	s.mux.HandleFunc("POST "+voice, s.elevenSpeech(false, false))
	s.mux.HandleFunc("POST "+voice+"/with-timestamps", s.elevenSpeech(false, true))
	s.mux.HandleFunc("POST "+voice+"/stream", s.elevenSpeech(true, false))
	s.mux.HandleFunc("POST "+voice+"/stream/with-timestamps", s.elevenSpeech(true, true))
	s.mux.HandleFunc("GET "+voice+"/stream-input", s.elevenStream(false))
	s.mux.HandleFunc("GET "+voice+"/multi-stream-input", s.elevenStream(true))
	s.mux.HandleFunc("GET /v1/voices", s.handleVoices)
	s.mux.HandleFunc("GET /v2/voices", s.handleVoicesPage)
}

// Limits of the service.
const (
	elevenMaxContexts   = 5
	elevenMaxCharacters = 40000
	elevenConcurrency   = 30
)

// elevenQuery are the parameters in the address of a synthesis.
type elevenQuery struct {
	voice  string
	model  string
	lang   string
	format elevenFormat
	// Of the sockets alone.
	syncAlignment, autoMode bool
	inactivity              time.Duration
}

// elevenFormat is an output_format that can be made here.
type elevenFormat struct {
	rate    int
	mulaw   bool
	bitRate int // of MP3, in bits a second; 0 for the others
}

// admitEleven does what every request begins with: it names the request, lets a
// fault refuse it and looks at the key. ok is false when the answer has been
// given. A socket may bring its key in the first message instead.
func (s *Server) admitEleven(w http.ResponseWriter, r *http.Request, socket bool) (id string, f Fault, ok bool) {
	id = s.nextID("")
	h := w.Header()
	h.Set("request-id", id)
	h.Set("x-trace-id", id)
	h.Set("x-region", "simulated")
	h.Set("current-concurrent-requests", "1")
	h.Set("maximum-concurrent-requests", strconv.Itoa(elevenConcurrency))
	f = s.nextFault(ElevenLabs)
	if f.Kind == FaultStatus {
		s.refuseEleven(w, id, f)
		return id, f, false
	}
	key := r.Header.Get("xi-api-key")
	if s.opt.Key != "" && key != s.opt.Key && (key != "" || !socket) {
		s.refuseEleven(w, id, Fault{Status: http.StatusUnauthorized})
		return id, f, false
	}
	return id, f, true
}

// elevenDetail is the newer form of an error; status is the older name of code.
type elevenDetail struct {
	Type      string `json:"type,omitempty"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message"`
	Status    string `json:"status,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Param     string `json:"param,omitempty"`
}

// elevenInvalid is one entry of a validation error.
type elevenInvalid struct {
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
	Type string   `json:"type"`
}

// refuseEleven answers with an HTTP error in the form that the service uses for
// that status: the older pair of status and message, the newer object, the list
// of a validation, or a bare string. A fault's message may begin with the code
// and a colon ("quota_exceeded: This request exceeds your quota.").
func (s *Server) refuseEleven(w http.ResponseWriter, id string, f Fault) {
	code, message := codeOf(f.Message)
	var detail any
	switch status := f.Status; {
	case status == http.StatusUnauthorized:
		detail = elevenDetail{Status: cmp.Or(code, "invalid_api_key"), Message: cmp.Or(message, "Invalid API key")}
	case status == http.StatusPaymentRequired:
		detail = elevenDetail{"payment_required", cmp.Or(code, "quota_exceeded"), cmp.Or(message, "This request exceeds your quota."), cmp.Or(code, "quota_exceeded"), id, ""}
	case status == http.StatusForbidden:
		detail = elevenDetail{"authorization_error", cmp.Or(code, "only_for_creator+"), cmp.Or(message, "This needs the Creator tier or above."), cmp.Or(code, "only_for_creator+"), id, ""}
	case status == http.StatusNotFound:
		detail = elevenDetail{Status: cmp.Or(code, "voice_not_found"), Message: cmp.Or(message, "A voice for the given id was not found.")}
	case status == http.StatusUnprocessableEntity:
		detail = []elevenInvalid{{[]string{"body", cmp.Or(code, "text")}, cmp.Or(message, "Field required"), "value_error"}}
	case status == http.StatusTooManyRequests:
		detail = elevenDetail{"rate_limit_error", cmp.Or(code, "rate_limit_exceeded"), cmp.Or(message, "Too many requests."), cmp.Or(code, "rate_limit_exceeded"), id, ""}
	case status >= 500:
		detail = cmp.Or(message, http.StatusText(status))
	default:
		detail = elevenDetail{"validation_error", cmp.Or(code, "invalid_parameters"), cmp.Or(message, "Invalid parameters."), cmp.Or(code, "invalid_parameters"), id, ""}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(mustJSON(map[string]any{"detail": detail}))
	s.opt.Log.Info("elevenlabs: refused", "status", f.Status, "request", id)
}

// codeOf splits "some_code: text"; text without a code is all message.
func codeOf(s string) (code, message string) {
	code, message, ok := strings.Cut(s, ": ")
	if !ok || strings.ContainsFunc(code, func(r rune) bool { return r != '_' && r != '+' && (r < 'a' || r > 'z') }) {
		return "", s
	}
	return code, message
}

// parseElevenQuery reads the address. A refusal is a fault to answer with.
func parseElevenQuery(r *http.Request, socket bool) (elevenQuery, *Fault) {
	v := r.URL.Query()
	q := elevenQuery{voice: r.PathValue("voice"), model: v.Get("model_id"), lang: v.Get("language_code")}
	invalid := func(param, why string) *Fault {
		return &Fault{Status: http.StatusUnprocessableEntity, Message: param + ": " + why}
	}
	if !validVoiceID(q.voice) {
		return q, &Fault{Status: http.StatusNotFound}
	}
	var ok bool
	if q.format, ok = parseElevenFormat(v.Get("output_format")); !ok || socket && q.format.bitRate > 0 {
		return q, invalid("output_format", "the simulator has no encoder for this; ask for pcm_8000, _16000, _22050, _24000, _32000, _44100, _48000 or ulaw_8000, over HTTP also for mp3_"+strings.Join(elevenMP3(), ", mp3_"))
	}
	if !socket {
		return q, nil
	}
	if strings.HasPrefix(q.model, "eleven_v3") {
		return q, &Fault{Status: http.StatusForbidden, Message: "unsupported_model: This model has no WebSocket endpoints."}
	}
	q.inactivity = 20 * time.Second
	if t := v.Get("inactivity_timeout"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > 180 {
			return q, invalid("inactivity_timeout", "must be a number of seconds, at most 180")
		}
		q.inactivity = time.Duration(n) * time.Second
	}
	for name, into := range map[string]*bool{"sync_alignment": &q.syncAlignment, "auto_mode": &q.autoMode} {
		if t := v.Get(name); t != "" {
			b, err := strconv.ParseBool(t)
			if err != nil {
				return q, invalid(name, "must be true or false")
			}
			*into = b
		}
	}
	return q, q.checkLanguage()
}

// checkLanguage refuses a language for a model that takes none.
func (q elevenQuery) checkLanguage() *Fault {
	if q.lang != "" && (q.model == "eleven_multilingual_v2" || q.model == "eleven_flash_v2") {
		return &Fault{Status: http.StatusBadRequest, Message: "unsupported_language: Model '" + q.model + "' does not support the language_code parameter."}
	}
	return nil
}

// validVoiceID says whether id could be a voice's name.
func validVoiceID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// elevenMP3 are the output_formats in MP3, rate_kilobits.
func elevenMP3() []string {
	return []string{"22050_32", "24000_48", "44100_32", "44100_64", "44100_96", "44100_128", "44100_192"}
}

// parseElevenFormat reads an output_format; empty is the service's default,
// mp3_44100_128. Opus is not made here.
func parseElevenFormat(s string) (elevenFormat, bool) {
	if s == "ulaw_8000" {
		return elevenFormat{rate: 8000, mulaw: true}, true
	}
	if s == "" {
		s = "mp3_44100_128"
	}
	if kind, ok := strings.CutPrefix(s, "mp3_"); ok {
		hz, kilobits, _ := strings.Cut(kind, "_")
		rate, err1 := strconv.Atoi(hz)
		n, err2 := strconv.Atoi(kilobits)
		return elevenFormat{rate: rate, bitRate: n * 1000}, err1 == nil && err2 == nil && slices.Contains(elevenMP3(), kind)
	}
	hz, ok := strings.CutPrefix(s, "pcm_")
	n, err := strconv.Atoi(hz)
	if !ok || err != nil || !slices.Contains([]int{8000, 16000, 22050, 24000, 32000, 44100, 48000}, n) {
		return elevenFormat{}, false
	}
	return elevenFormat{rate: n}, true
}

// packer packs one answer's audio in the format.
func (f elevenFormat) packer() packer {
	switch {
	case f.bitRate > 0:
		return mp3Packer(f.rate, f.bitRate)
	case f.mulaw:
		return mulawPacker()
	}
	return pcmPacker()
}

// mediaType is the Content-Type of an answer in the format.
func (f elevenFormat) mediaType() string {
	switch {
	case f.bitRate > 0:
		return "audio/mpeg"
	case f.mulaw:
		return "audio/basic"
	}
	return "audio/pcm"
}
