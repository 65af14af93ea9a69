package azure

import (
	"encoding/json"

	"kalami/providers"
)

// answer is what the vendor says. Its other fields do not matter here.
type answer struct {
	RecognitionStatus string
	NBest             []struct {
		scores
		PronunciationAssessment *scores
		Words                   []word
	}
}

// scores stand at each level, those that it has.
type scores struct {
	AccuracyScore, FluencyScore, CompletenessScore, PronScore, ProsodyScore *float64
	ErrorType                                                               string
	NBestPhonemes                                                           []struct{ Phoneme string }
}

// either is the object where there is one, else the fields beside it.
func either(beside scores, object *scores) scores {
	if object != nil {
		return *object
	}
	return beside
}

type word struct {
	scores
	Word                    string
	PronunciationAssessment *scores
	Phonemes                []struct {
		scores
		Phoneme                 string
		PronunciationAssessment *scores
	}
}

// read makes a judgement of an answer.
func read(raw []byte, id string) (providers.Judgement, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "no usable answer", id, nil)
	}
	switch a.RecognitionStatus {
	case "Success":
	case "NoMatch", "InitialSilenceTimeout", "BabbleTimeout":
		return providers.Judgement{}, failure(providers.Invalid, "nothing was heard: "+a.RecognitionStatus, id, nil)
	default:
		return providers.Judgement{}, failure(providers.Unavailable, providers.ErrorCode(a.RecognitionStatus), id, nil)
	}
	if len(a.NBest) == 0 {
		return providers.Judgement{}, failure(providers.Unavailable, "the answer has no assessment", id, nil)
	}
	best := a.NBest[0]
	s := either(best.scores, best.PronunciationAssessment)
	if s.AccuracyScore == nil {
		return providers.Judgement{}, failure(providers.Unavailable, "the answer has no assessment", id, nil)
	}
	j := providers.Judgement{Overall: s.PronScore, Accuracy: s.AccuracyScore, Completeness: s.CompletenessScore,
		Fluency: s.FluencyScore, Prosody: s.ProsodyScore, RequestID: id}
	for _, w := range best.Words {
		j.Words = append(j.Words, w.judged())
	}
	return j, nil
}

// judged is one word of the judgement.
func (w word) judged() providers.JudgedWord {
	s := either(w.scores, w.PronunciationAssessment)
	out := providers.JudgedWord{Text: w.Word, Accuracy: s.AccuracyScore, Omitted: s.ErrorType == "Omission",
		Added: s.ErrorType == "Insertion", Mispronounced: s.ErrorType == "Mispronunciation"}
	if out.Omitted {
		out.Accuracy = nil // the vendor says 0 of what was not heard
		return out
	}
	for _, p := range w.Phonemes {
		s := either(p.scores, p.PronunciationAssessment)
		if p.Phoneme == "" { // a language whose sounds the vendor does not name
			continue
		}
		judged := providers.JudgedPhoneme{Symbol: p.Phoneme, Alphabet: "ipa", Accuracy: s.AccuracyScore}
		if len(s.NBestPhonemes) > 0 {
			judged.HeardAs = s.NBestPhonemes[0].Phoneme
		}
		out.Phonemes = append(out.Phonemes, judged)
	}
	return out
}
