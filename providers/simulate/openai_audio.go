package simulate

import (
	"cmp"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"kalami/providers/recording"
)

// Limits of the audio endpoints, as OpenAI documents them.
const (
	maxUpload      = 25 << 20 // bytes of a file to transcribe
	maxSpeechInput = 4096     // characters to speak
	openAIRate     = 24000    // hertz of what is spoken
	noiseRMS       = 100      // root mean square of what is at most noise
)

// upload is a transcription request's form.
type upload struct {
	file                    []byte
	hasFile                 bool
	model, language, format string
	granularities           []string // of the times in a verbose answer
}

// readUpload reads the multipart form. Fields that only tune the engine are ignored.
func readUpload(w http.ResponseWriter, r *http.Request) (upload, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+64<<10)
	form, err := r.MultipartReader()
	if err != nil {
		return upload{}, err
	}
	var u upload
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err != nil {
			return u, err
		}
		if part.FormName() == "file" {
			u.file, err = io.ReadAll(part)
			u.hasFile = true
		} else {
			err = u.field(part.FormName(), part)
		}
		if err != nil {
			return u, err
		}
	}
}

// field reads a short text field.
func (u *upload) field(name string, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, 16<<10))
	switch name {
	case "model":
		u.model = string(b)
	case "language":
		u.language = string(b)
	case "response_format":
		u.format = string(b)
	case "timestamp_granularities[]":
		if len(u.granularities) < 2 { // there are no more
			u.granularities = append(u.granularities, string(b))
		}
	}
	return err
}

// handleTranscriptions serves POST /v1/audio/transcriptions. It does not really
// listen: a file with speech-like energy gets the next learner's line of the
// language's script, a silent one gets nothing. See [recorded] for what is not WAV.
func (s *Server) handleTranscriptions(a *openAIAnswer) {
	u, err := readUpload(a.w, a.r)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(u.file) > maxUpload {
		a.refuse(http.StatusRequestEntityTooLarge, openAIError{
			Message: "Maximum content size limit (26214400) exceeded.", Type: "server_error"})
		return
	}
	switch {
	case err != nil:
		a.invalid("", "the body is not the multipart form that is expected")
		return
	case u.model == "":
		a.invalid("model", "you must provide a model parameter")
		return
	case !u.hasFile || len(u.file) == 0:
		a.invalid("file", "Audio file is required and must not be empty.")
		return
	}
	heard, err := openRecorded(u.file)
	if a.unreadable(heard, err) {
		return
	}
	f := s.nextFault(OpenAI)
	if s.before(a.w, a.r, f, false, a.fault) || !s.sleep(a.r.Context(), s.opt.Latency.STTFinal) {
		return
	}
	lang := u.language
	if _, ok := s.opt.Scripts[lang]; !ok {
		lang = s.language("")
	}
	text := ""
	if loudness(heard.pcm) > noiseRMS {
		text = s.nextRecorded(lang)
	}
	a.transcribed(u, lang, text, heard)
}

// unreadable refuses a file that cannot be heard, in the service's words; false when
// it can.
func (a *openAIAnswer) unreadable(heard recorded, err error) bool {
	const shortest = 100 * time.Millisecond
	e := openAIError{Type: "invalid_request_error"}
	switch {
	case errors.Is(err, recording.ErrUnknown):
		e.Message = "Invalid file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"
	case err != nil:
		e.Message = "The audio file could not be decoded or its format is not supported."
	case heard.took < shortest:
		e.Message, e.Param, e.Code = "Audio file is too short. Minimum audio length is 0.1 seconds.", "file", "audio_too_short"
	default:
		return false
	}
	a.refuse(http.StatusBadRequest, e)
	return true
}

// transcribed answers in the format that was asked for. As in the service, a verbose
// answer tells where each segment is, and where each word is only on demand.
func (a *openAIAnswer) transcribed(u upload, lang, text string, heard recorded) {
	type m = map[string]any
	took := heard.took
	switch cmp.Or(u.format, "json") {
	case "json":
		a.json(m{"text": text, "usage": m{"type": "duration", "seconds": math.Ceil(took.Seconds())}})
	case "text":
		a.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(a.w, text+"\n")
	case "verbose_json":
		answer := m{
			"task": "transcribe", "language": languageName(lang), "duration": took.Seconds(), "text": text,
			"usage": m{"type": "duration", "seconds": math.Ceil(took.Seconds())},
		}
		if len(u.granularities) == 0 || slices.Contains(u.granularities, "segment") {
			answer["segments"] = []any{m{
				"id": 0, "seek": 0, "start": 0.0, "end": took.Seconds(), "text": " " + text, "tokens": []int{},
				"temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01,
			}}
		}
		if slices.Contains(u.granularities, "word") {
			answer["words"] = heard.words(text)
		}
		a.json(answer)
	default:
		a.invalid("response_format", "response_format must be json, text or verbose_json here")
	}
}

// timedWord is where a word is, in seconds.
type timedWord struct {
	Word  string  `json:"word"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
}

// words spreads those of a text, which come without punctuation, evenly over the part of
// the recording in which there is sound.
func (r recorded) words(text string) []timedWord {
	bare := strings.FieldsFunc(text, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '\'' && c != '’'
	})
	from, to := r.sounding()
	words := make([]timedWord, len(bare))
	each := (to - from) / float64(max(len(bare), 1))
	for i, w := range bare {
		words[i] = timedWord{Word: w, Start: from + float64(i)*each, End: from + float64(i+1)*each}
	}
	return words
}

// sounding returns between which seconds there is sound, to a tenth.
func (r recorded) sounding() (from, to float64) {
	tenth := max(r.rate/10, 1)
	found := false
	for at := 0; at < len(r.pcm); at += tenth {
		if loudness(r.pcm[at:min(at+tenth, len(r.pcm))]) <= noiseRMS {
			continue
		}
		if !found {
			found, from = true, length(at, r.rate).Seconds()
		}
		to = length(at+tenth, r.rate).Seconds()
	}
	return from, min(to, r.took.Seconds())
}

// nextRecorded returns the learner's lines of a script in turn, over and over.
func (s *Server) nextRecorded(lang string) string {
	turns := s.opt.Scripts[lang].Turns
	if len(turns) == 0 {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.recorded[lang]
	s.recorded[lang] = (n + 1) % len(turns)
	return turns[n].Learner
}

// languageName is how Whisper spells a language in its verbose answers.
func languageName(code string) string {
	switch code {
	case "de":
		return "german"
	case "en":
		return "english"
	case "es":
		return "spanish"
	case "fr":
		return "french"
	}
	return code
}

// loudness is the root mean square of the loudest 100 ms or so.
func loudness(pcm []int16) float64 {
	var loudest float64
	for len(pcm) > 0 {
		n := min(2400, len(pcm))
		var sum float64
		for _, v := range pcm[:n] {
			sum += float64(v) * float64(v)
		}
		loudest = max(loudest, math.Sqrt(sum/float64(n)))
		pcm = pcm[n:]
	}
	return loudest
}

// languageOf guesses which script's language a text is in, by the words they
// share; OpenAI's voices are not told.
func (s *Server) languageOf(text string) string {
	best, code := 0, s.language("")
	heard := wordsOf(text)
	for _, c := range s.codes() {
		known := map[string]bool{}
		script := s.opt.Scripts[c]
		for _, l := range append([]string{script.Opener, script.Otherwise}, script.lines()...) {
			for _, w := range wordsOf(l) {
				known[w] = true
			}
		}
		n := 0
		for _, w := range heard {
			if known[w] {
				n++
			}
		}
		if n > best {
			best, code = n, c
		}
	}
	return code
}

// lines returns both sides' lines.
func (sc Script) lines() []string {
	var out []string
	for _, t := range sc.Turns {
		out = append(out, t.Learner, t.Tutor)
	}
	return out
}
