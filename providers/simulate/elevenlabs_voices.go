package simulate

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// elevenVoice is a voice as the catalogue lists it; most fields are nullable.
type elevenVoice struct {
	ID          string            `json:"voice_id"`
	Name        string            `json:"name"`
	Category    string            `json:"category"`
	Labels      map[string]string `json:"labels"`
	Description *string           `json:"description"`
	PreviewURL  *string           `json:"preview_url"`
	Tiers       []string          `json:"available_for_tiers"`
	Settings    *elevenVoicing    `json:"settings"`
	Sharing     any               `json:"sharing"`
	FineTuning  map[string]any    `json:"fine_tuning"`
	BaseModels  []string          `json:"high_quality_base_model_ids"`
	Verified    []map[string]any  `json:"verified_languages"`
	Samples     []any             `json:"samples"`
}

// elevenVoices are the simulated voices, one per language of the scripts.
func (s *Server) elevenVoices() []elevenVoice {
	var out []elevenVoice
	for _, lang := range s.codes() {
		about := "A simulated voice: shipped clips, espeak-ng where it is installed, else hummed syllables."
		out = append(out, elevenVoice{
			ID: "simulated-" + lang, Name: "Simulated " + strings.ToUpper(lang), Category: "premade",
			Labels: map[string]string{"language": lang, "use_case": "conversational"}, Description: &about,
			Tiers: []string{}, FineTuning: map[string]any{"is_allowed_to_fine_tune": false},
			BaseModels: []string{"eleven_flash_v2_5"},
			Verified:   []map[string]any{{"language": lang, "model_id": "eleven_flash_v2_5", "accent": nil, "locale": nil, "preview_url": nil}},
		})
	}
	return out
}

// handleVoices serves GET /v1/voices: all of them.
func (s *Server) handleVoices(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := s.admitEleven(w, r, false); !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(mustJSON(map[string]any{"voices": s.elevenVoices()}))
}

// handleVoicesPage serves GET /v2/voices: a page of those that the search finds.
// The page token is the number of voices that came before.
func (s *Server) handleVoicesPage(w http.ResponseWriter, r *http.Request) {
	id, _, ok := s.admitEleven(w, r, false)
	if !ok {
		return
	}
	q := r.URL.Query()
	size, from := 10, 0
	for name, into := range map[string]*int{"page_size": &size, "next_page_token": &from} {
		if t := q.Get(name); t != "" {
			n, err := strconv.Atoi(t)
			if err != nil || n < 0 || name == "page_size" && (n < 1 || n > 100) {
				s.refuseEleven(w, id, Fault{Status: http.StatusUnprocessableEntity, Message: name + ": not a valid number"})
				return
			}
			*into = n
		}
	}
	search, ids := strings.ToLower(q.Get("search")), q["voice_ids"]
	found := slices.DeleteFunc(s.elevenVoices(), func(v elevenVoice) bool {
		return !strings.Contains(strings.ToLower(v.Name+" "+v.Labels["language"]), search) || len(ids) > 0 && !slices.Contains(ids, v.ID)
	})
	from = min(from, len(found))
	to := min(from+size, len(found))
	var next *string
	if to < len(found) {
		token := strconv.Itoa(to)
		next = &token
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(mustJSON(map[string]any{
		"voices": append([]elevenVoice{}, found[from:to]...), "has_more": next != nil, "total_count": len(found), "next_page_token": next,
	}))
}
