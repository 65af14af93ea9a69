package simulate

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// azureWanted is the JSON of the header Pronunciation-Assessment, as far as it matters.
type azureWanted struct {
	ReferenceText string
	GradingSystem string
	Granularity   string
	Dimension     string
}

// The answer of an assessment, in the form that the REST API's documents show.
type (
	azureAnswer struct {
		RecognitionStatus string
		Offset, Duration  int64 // of 100 ns
		DisplayText       string
		NBest             []azureBest `json:",omitempty"`
	}
	azureBest struct {
		Confidence                                                              float64
		Lexical, Display                                                        string
		AccuracyScore, FluencyScore, ProsodyScore, CompletenessScore, PronScore float64
		Words                                                                   []azureWord
	}
	azureWord struct {
		Word             string
		Offset, Duration int64
		AccuracyScore    float64
		ErrorType        string
		Phonemes         []azurePhoneme
	}
	azurePhoneme struct {
		Phoneme                 string
		Offset, Duration        int64
		PronunciationAssessment struct { // the SDK's form
			AccuracyScore float64
			NBestPhonemes []azureCandidate
		}
	}
	azureCandidate struct {
		Phoneme string
		Score   float64
	}
)

// handleAzure serves an assessment over the REST API for short audio.
func (s *Server) handleAzure(w http.ResponseWriter, r *http.Request) {
	s.asked(Azure)
	w.Header().Set("X-RequestId", s.requestUUID())
	f := s.nextFault(Azure)
	if f.Kind == FaultStatus {
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		w.WriteHeader(f.Status)
		return
	}
	if s.opt.Key != "" && r.Header.Get("Ocp-Apim-Subscription-Key") != s.opt.Key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	wanted, ok := azureParameters(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecording))
	if !ok || err != nil || r.URL.Query().Get("language") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	heard, err := openRecorded(body)
	if err != nil || strings.HasPrefix(r.Header.Get("Content-Type"), "audio/wav") && heard.rate != 16000 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !s.sleep(r.Context(), s.opt.Latency.STTFinal) || s.assessorFault(w, r, f) {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if !loud(heard.pcm) {
		_, _ = w.Write(mustJSON(azureAnswer{RecognitionStatus: "InitialSilenceTimeout"}))
		return
	}
	_, _ = w.Write(mustJSON(s.azureJudgement(wanted.ReferenceText, heard.took.Nanoseconds()/100)))
}

// azureParameters reads the header; false for one that the service would refuse.
func azureParameters(r *http.Request) (azureWanted, bool) {
	var wanted azureWanted
	raw, err := base64.StdEncoding.DecodeString(r.Header.Get("Pronunciation-Assessment"))
	if err != nil || json.Unmarshal(raw, &wanted) != nil {
		return wanted, false
	}
	return wanted, wanted.ReferenceText != "" && wanted.GradingSystem == "HundredMark" &&
		wanted.Granularity == "Phoneme" && wanted.Dimension == "Comprehensive"
}

// azureJudgement judges every word of the text; below 60 it is mispronounced.
func (s *Server) azureJudgement(text string, took int64) azureAnswer {
	words := readWords(text)
	quality := s.mean(words)
	best := azureBest{Confidence: 0.97, Lexical: strings.ToLower(strings.Join(words, " ")), Display: text,
		AccuracyScore: quality, FluencyScore: 90, ProsodyScore: 80, CompletenessScore: 100, PronScore: quality}
	each := took / int64(max(len(words), 1))
	for i, word := range words {
		judged := azureWord{Word: strings.ToLower(word), Offset: int64(i) * each, Duration: each, AccuracyScore: s.accent(word), ErrorType: "None"}
		if judged.AccuracyScore < 60 {
			judged.ErrorType = "Mispronunciation"
		}
		for _, letter := range judged.Word {
			p := azurePhoneme{Phoneme: string(letter), Offset: judged.Offset}
			p.PronunciationAssessment.AccuracyScore = judged.AccuracyScore
			p.PronunciationAssessment.NBestPhonemes = []azureCandidate{{string(letter), judged.AccuracyScore}}
			judged.Phonemes = append(judged.Phonemes, p)
		}
		best.Words = append(best.Words, judged)
	}
	return azureAnswer{RecognitionStatus: "Success", Duration: took, DisplayText: text, NBest: []azureBest{best}}
}
