package simulate

import (
	"net/http"
	"strings"
	"unicode"
)

// routesAssessors registers the assessors of pronunciation. What they say of a reading: that
// every word of the text was read, with a quality that [Options.Accents] has for it, each
// letter being one sound. A recording without a loud moment holds no speech.
func (s *Server) routesAssessors() {
	s.mux.HandleFunc("POST /speech/recognition/conversation/cognitiveservices/v1", s.handleAzure)
	s.mux.HandleFunc("POST /api/scoring/text/v9/json", s.handleSpeechAce)
}

// Assessments is how many requests for an assessment a vendor got, refused ones among them.
func (s *Server) Assessments(v Vendor) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assessed[v]
}

// asked counts a request.
func (s *Server) asked(v Vendor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assessed[v]++
}

// accent is how well a word is pronounced.
func (s *Server) accent(word string) float64 {
	if quality, ok := s.opt.Accents[strings.ToLower(word)]; ok {
		return quality
	}
	return 95
}

// readWords are the words of a text, without punctuation.
func readWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\''
	})
}

// mean of how well words are pronounced; 0 of none.
func (s *Server) mean(words []string) float64 {
	sum := 0.0
	for _, w := range words {
		sum += s.accent(w)
	}
	return sum / float64(max(len(words), 1))
}

// loud says whether a recording holds anything that could be speech.
func loud(pcm []int16) bool {
	const threshold = 500
	for _, v := range pcm {
		if v > threshold || v < -threshold {
			return true
		}
	}
	return false
}

// assessorFault lets a fault answer; true when it did. Refusals are the vendors' own.
func (s *Server) assessorFault(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case FaultCut, FaultEnd, FaultClose:
		s.abort(w)
	case FaultStall:
		s.stall(r.Context())
	case FaultGarbage, FaultStreamError:
		_, _ = w.Write([]byte(`{"NBest":[{"`))
	default:
		return false
	}
	return true
}
