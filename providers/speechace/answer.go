package speechace

import (
	"encoding/json"
	"strings"

	"kalami/providers"
)

// answer is what the vendor says. Its other fields do not matter here.
type answer struct {
	Status       string `json:"status"`
	ShortMessage string `json:"short_message"`
	Version      string `json:"version"`
	TextScore    *struct {
		Words   []word `json:"word_score_list"`
		Score   totals `json:"speechace_score"`
		Fluency struct {
			Overall struct {
				Score totals `json:"speechace_score"`
			} `json:"overall_metrics"`
		} `json:"fluency"`
	} `json:"text_score"`
}

type totals struct {
	Pronunciation *float64 `json:"pronunciation"`
	Fluency       *float64 `json:"fluency"`
}

type word struct {
	Word    string   `json:"word"`
	Quality *float64 `json:"quality_score"`
	Phones  []struct {
		Phone    string   `json:"phone"`
		Quality  *float64 `json:"quality_score"`
		MostLike *string  `json:"sound_most_like"`
	} `json:"phone_score_list"`
}

// read makes a judgement of an answer.
func read(raw []byte, language string) (providers.Judgement, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "no usable answer", nil)
	}
	if a.Status != "success" {
		return providers.Judgement{}, failure(kindOf(a.ShortMessage), providers.ErrorCode(a.ShortMessage), nil)
	}
	if a.TextScore == nil || a.TextScore.Score.Pronunciation == nil {
		return providers.Judgement{}, failure(providers.Unavailable, "the answer has no assessment", nil)
	}
	total := a.TextScore.Score.Pronunciation
	j := providers.Judgement{Overall: total, Accuracy: total, Fluency: a.TextScore.Fluency.Overall.Score.Fluency, Model: providers.ErrorCode(a.Version)}
	alphabet := "vendor"
	if strings.HasPrefix(dialect(language), "en") {
		alphabet = "arpabet"
	}
	for _, w := range a.TextScore.Words {
		judged := providers.JudgedWord{Text: w.Word, Accuracy: w.Quality, Mispronounced: w.Quality != nil && *w.Quality < poor}
		for _, p := range w.Phones {
			sound := providers.JudgedPhoneme{Symbol: p.Phone, Alphabet: alphabet, Accuracy: p.Quality}
			if p.MostLike != nil {
				sound.HeardAs = *p.MostLike
			}
			judged.Phonemes = append(judged.Phonemes, sound)
		}
		j.Words = append(j.Words, judged)
	}
	return j, nil
}

// kindOf tells errors apart by their names.
func kindOf(short string) providers.Kind {
	short = strings.ToLower(short)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(short, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("key", "auth"):
		return providers.Denied
	case has("quota", "limit"):
		return providers.Quota
	case has("internal", "server", "timeout") || short == "":
		return providers.Unavailable
	}
	return providers.Invalid
}
