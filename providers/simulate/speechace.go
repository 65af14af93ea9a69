package simulate

import (
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// The answer of POST /api/scoring/text/v9/json.
type (
	aceAnswer struct {
		Status    string    `json:"status"`
		Quota     *int      `json:"quota_remaining,omitempty"`
		Short     string    `json:"short_message,omitempty"`
		Detail    string    `json:"detail_message,omitempty"`
		TextScore *aceScore `json:"text_score,omitempty"`
		Version   string    `json:"version"`
	}
	aceScore struct {
		Text    string             `json:"text"`
		Words   []aceWord          `json:"word_score_list"`
		Score   map[string]float64 `json:"speechace_score"`
		Fluency map[string]any     `json:"fluency,omitempty"`
	}
	aceWord struct {
		Word    string     `json:"word"`
		Quality float64    `json:"quality_score"`
		Phones  []acePhone `json:"phone_score_list"`
	}
	acePhone struct {
		Phone   string  `json:"phone"`
		Stress  *int    `json:"stress_level"`
		Extent  [2]int  `json:"extent"` // of 10 ms
		Quality float64 `json:"quality_score"`
		Like    string  `json:"sound_most_like"`
	}
)

// aceVersion is the version that answers name.
const aceVersion = "9.9"

// handleSpeechAce serves the score of a text. Its errors come in a 200, as the documents
// show them.
func (s *Server) handleSpeechAce(w http.ResponseWriter, r *http.Request) {
	s.asked(SpeechAce)
	f := s.nextFault(SpeechAce)
	refuse := func(short, detail string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(mustJSON(aceAnswer{Status: "error", Short: short, Detail: detail, Version: aceVersion}))
	}
	q := r.URL.Query()
	switch {
	case f.Kind == FaultStatus && f.Status == http.StatusOK:
		refuse(f.Message, "Something is wrong.")
		return
	case f.Kind == FaultStatus:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write(mustJSON(aceAnswer{Status: "error", Short: f.Message, Version: aceVersion}))
		return
	case s.opt.Key != "" && q.Get("key") != s.opt.Key:
		refuse("error_key_invalid", "The key is not valid.")
		return
	case q.Get("dialect") == "":
		refuse("error_dialect", "There is no such dialect.")
		return
	}
	text, file, ok := aceForm(w, r)
	if !ok {
		refuse("error_request", "The form has no text or no user_audio_file.")
		return
	}
	heard, err := openRecorded(file)
	if err != nil {
		refuse("error_audio_format", "The file is no audio.")
		return
	}
	if !s.sleep(r.Context(), s.opt.Latency.STTFinal) || s.assessorFault(w, r, f) {
		return
	}
	if !loud(heard.pcm) {
		refuse("error_no_speech", "No speech was found.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(mustJSON(s.aceJudgement(text, r.FormValue("include_fluency") == "1")))
}

// aceForm reads the form.
func aceForm(w http.ResponseWriter, r *http.Request) (text string, file []byte, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRecording)
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return "", nil, false
	}
	defer func(form *multipart.Form) { _ = form.RemoveAll() }(r.MultipartForm)
	part, _, err := r.FormFile("user_audio_file")
	if err != nil {
		return "", nil, false
	}
	defer part.Close()
	file, err = io.ReadAll(part)
	text = r.FormValue("text")
	return text, file, err == nil && strings.TrimSpace(text) != ""
}

// aceJudgement judges every word of the text.
func (s *Server) aceJudgement(text string, fluency bool) aceAnswer {
	words := readWords(text)
	score := &aceScore{Text: text, Score: map[string]float64{"pronunciation": s.mean(words)}}
	for _, word := range words {
		judged := aceWord{Word: word, Quality: s.accent(word)}
		for i, letter := range strings.ToLower(word) {
			judged.Phones = append(judged.Phones, acePhone{Phone: string(letter), Extent: [2]int{10 * i, 10*i + 10}, Quality: judged.Quality, Like: string(letter)})
		}
		score.Words = append(score.Words, judged)
	}
	if fluency {
		score.Fluency = map[string]any{"overall_metrics": map[string]any{"speechace_score": map[string]float64{"pronunciation": s.mean(words), "fluency": 88}}}
	}
	return aceAnswer{Status: "success", Quota: new(-1), TextScore: score, Version: aceVersion}
}
