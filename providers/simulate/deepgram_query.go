package simulate

import (
	"encoding/binary"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// audioFormat says how a request's audio is packed. A zero rate means a container,
// which says it itself.
type audioFormat struct {
	encoding string
	rate     int
	channels int
}

// hearable are the encodings that the simulator can really listen to. The service
// takes more (opus, flac, …), which are refused here with a message that says so.
var hearable = [...]string{"linear16", "mulaw", "alaw"}

// decode unpacks samples of the first channel. It returns what is left of a
// sample that is not complete.
func (f audioFormat) decode(b []byte, dst []int16) (pcm []int16, rest []byte) {
	size := f.channels
	if f.encoding == "linear16" {
		size *= 2
	}
	for ; len(b) >= size; b = b[size:] {
		switch f.encoding {
		case "linear16":
			dst = append(dst, int16(binary.LittleEndian.Uint16(b)))
		case "mulaw":
			dst = append(dst, mulawToLinear(b[0]))
		default:
			dst = append(dst, alawToLinear(b[0]))
		}
	}
	return dst, b
}

// alawToLinear expands one G.711 A-law sample.
func alawToLinear(c byte) int16 {
	c ^= 0x55
	s := int(c&0x0f)<<4 + 8
	if exp := int(c >> 4 & 7); exp > 0 {
		s = (s + 0x100) << (exp - 1)
	}
	if c&0x80 == 0 {
		s = -s
	}
	return int16(s)
}

// query reads parameters and remembers the first that is wrong.
type query struct {
	url.Values
	wrong *deepgramRefusal
}

func (q *query) fail(name, format string, args ...any) {
	if q.wrong == nil {
		q.wrong = badRequest("INVALID_QUERY_PARAMETER", "Failed to deserialize query parameters: "+name+": "+format, args...)
	}
}

// flag reads a boolean.
func (q *query) flag(name string) bool {
	switch v := q.Get(name); v {
	case "", "false":
		return false
	case "true":
		return true
	default:
		q.fail(name, "provided string was not `true` or `false`")
		return false
	}
}

// number reads a whole number within bounds.
func (q *query) number(name string, absent, least, most int) int {
	v := q.Get(name)
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		q.fail(name, "must be a whole number from %d to %d", least, most)
		return absent
	}
	return n
}

// fraction reads a decimal number within bounds.
func (q *query) fraction(name string, absent, least, most float64) float64 {
	v := q.Get(name)
	if v == "" {
		return absent
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !(f >= least && f <= most) {
		q.fail(name, "must be from %g to %g", least, most)
		return absent
	}
	return f
}

// format reads how the audio is packed. known are the endpoint's encodings.
func (q *query) format(known []string) audioFormat {
	f := audioFormat{encoding: q.Get("encoding"), channels: q.number("channels", 1, 1, 8)}
	switch {
	case f.encoding == "":
		if q.Get("sample_rate") != "" {
			q.fail("encoding", "must be given together with sample_rate")
		}
		return f
	case !slices.Contains(known, f.encoding):
		q.fail("encoding", "unknown encoding")
	case !slices.Contains(hearable[:], f.encoding):
		q.fail("encoding", "this simulator can only listen to %s", strings.Join(hearable[:], ", "))
	case q.Get("sample_rate") == "":
		q.fail("sample_rate", "is required for raw audio")
	}
	f.rate = q.number("sample_rate", 0, 8000, 192000)
	return f
}

// script finds the role play for a language tag.
func (s *Server) script(q *query, tag string) Script {
	script, ok := s.opt.Scripts[primaryTag(tag)]
	if q.wrong == nil && (!ok || len(newHearing(16000, script).lines) == 0) {
		q.wrong = badRequest("Bad Request", "No such model/language/tier combination found.")
	}
	return script
}

// novaQuery is what the simulator reads of the parameters of /v1/listen.
type novaQuery struct {
	model, language string // language as spoken; with multi, that of the first hint
	multi           bool
	format          audioFormat
	script          Script

	interim, speechStarted, formatted bool
	endpointingMS, utteranceEndMS     int // 0 is off
}

// novaEncodings are those of the specification.
var novaEncodings = []string{"linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb", "opus", "ogg-opus", "speex", "g729"}

// novaQuery checks the parameters of a live or recorded /v1/listen.
func (s *Server) novaQuery(v url.Values) (novaQuery, *deepgramRefusal) {
	q := &query{Values: v}
	p := novaQuery{
		model: v.Get("model"), language: v.Get("language"), format: q.format(novaEncodings),
		interim: q.flag("interim_results"), speechStarted: q.flag("vad_events"),
		formatted: q.flag("smart_format") || q.flag("punctuate"),
	}
	if strings.HasPrefix(p.model, "flux") {
		return p, badRequest("V2_MODEL_ON_V1_LISTEN_ENDPOINT", "Flux models are not supported on the /v1/listen endpoint. "+
			"Please use the /v2/listen endpoint for conversational speech-to-text requests.")
	}
	if p.model == "" {
		p.model = "general"
	}
	if p.language == "" {
		p.language = "en"
	}
	hints := v["language_hint"]
	if p.multi = p.language == "multi"; p.multi {
		p.language = "en"
		if len(hints) > 0 {
			p.language = hints[0]
		}
	}
	if slices.Contains(hints, "") {
		q.fail("language_hint", "must not be empty")
	}
	if len(v["keyterm"]) > 0 && !strings.HasPrefix(p.model, "nova-3") {
		q.fail("keyterm", "is only supported by Nova-3")
	}
	if v.Get("endpointing") != "false" {
		p.endpointingMS = q.number("endpointing", 10, 0, 10000)
	}
	p.utteranceEndMS = q.number("utterance_end_ms", 0, 1000, 5000)
	if p.utteranceEndMS > 0 && !p.interim {
		q.fail("utterance_end_ms", "needs interim_results=true")
	}
	p.script = s.script(q, p.language)
	return p, q.wrong
}

// fluxQuery is what the simulator reads of the parameters of /v2/listen.
type fluxQuery struct {
	model    string
	language string
	hints    []string
	format   audioFormat
	script   Script
	fluxThresholds
}

// fluxThresholds say when a turn ends. Configure changes them.
type fluxThresholds struct {
	// Eager is 0 when eager ends are off.
	Eager     float64 `json:"eager_eot_threshold,omitempty"`
	End       float64 `json:"eot_threshold"`
	TimeoutMS int     `json:"eot_timeout_ms"`
}

// valid checks what Configure or the parameters say. 1.0 for End is how an
// application keeps the ending of turns to itself.
func (t fluxThresholds) valid() bool {
	eager := t.Eager == 0 || t.Eager >= 0.3 && t.Eager <= min(t.End, 0.9)
	end := t.End >= 0.5 && t.End <= 0.9 || t.End == 1
	return eager && end && t.TimeoutMS >= 500 && t.TimeoutMS <= 10000
}

var (
	fluxEncodings = []string{"linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus"}
	fluxRates     = []int{8000, 16000, 24000, 44100, 48000}
	fluxLanguages = []string{"en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"}
)

// fluxQuery checks the parameters of /v2/listen.
func (s *Server) fluxQuery(v url.Values) (fluxQuery, *deepgramRefusal) {
	q := &query{Values: v}
	p := fluxQuery{model: v.Get("model"), language: "en", hints: v["language_hint"], format: q.format(fluxEncodings)}
	switch p.model {
	case "flux-general-multi":
		for _, h := range p.hints {
			if !slices.Contains(fluxLanguages, primaryTag(h)) {
				q.fail("language_hint", "is empty or not a language of this model")
			}
		}
		if len(p.hints) > 0 {
			p.language = primaryTag(p.hints[0])
		}
	case "flux-general-en":
		if len(p.hints) > 0 {
			q.fail("language_hint", "is only supported by flux-general-multi")
		}
	default:
		q.fail("model", "must be flux-general-en or flux-general-multi")
	}
	if p.format.rate > 0 && !slices.Contains(fluxRates, p.format.rate) {
		q.fail("sample_rate", "must be one of %v", fluxRates)
	}
	if p.format.channels != 1 {
		q.fail("channels", "must be 1")
	}
	p.fluxThresholds = fluxThresholds{
		Eager: q.fraction("eager_eot_threshold", 0, 0.3, 0.9), End: q.fraction("eot_threshold", 0.7, 0.5, 1),
		TimeoutMS: q.number("eot_timeout_ms", 5000, 500, 10000),
	}
	if !p.valid() {
		q.fail("eager_eot_threshold", "must not be above eot_threshold, which must be from 0.5 to 0.9")
	}
	p.script = s.script(q, p.language)
	return p, q.wrong
}
