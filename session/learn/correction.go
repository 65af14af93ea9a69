package learn

import "time"

// Category says what kind of mistake was corrected, in a small set like ERRANT's.
type Category string

// The categories. Spelling, case and punctuation are missing on purpose: a
// recogniser made those.
const (
	VerbTense   Category = "verb_tense"
	VerbForm    Category = "verb_form"
	Agreement   Category = "agreement"
	Article     Category = "article"
	Preposition Category = "preposition"
	Pronoun     Category = "pronoun"
	NounNumber  Category = "noun_number"
	Gender      Category = "gender"
	Case        Category = "case"
	WordOrder   Category = "word_order"
	WordChoice  Category = "word_choice"
	Missing     Category = "missing"
	Extra       Category = "extra"
	Particle    Category = "particle"
	Register    Category = "register"
)

// Categories are all of them, in the order of the declarations above.
func Categories() []Category {
	return []Category{VerbTense, VerbForm, Agreement, Article, Preposition, Pronoun, NounNumber, Gender, Case,
		WordOrder, WordChoice, Missing, Extra, Particle, Register}
}

// Severity says how much a mistake matters.
type Severity string

// The severities, the least first: understood without effort, with effort, not at all.
const (
	Minor    Severity = "minor"
	Major    Severity = "major"
	Blocking Severity = "blocking"
)

// Correction is one mistake in a learner's message, and the right form.
type Correction struct {
	// ID is empty until the correction is stored.
	ID string
	// Original is the wrong part as it stands in the message; Start and End are its
	// place there, in Unicode code points, found by us and not by the model.
	Original   string
	Corrected  string
	Start, End int
	Category   Category
	Severity   Severity
	// Explanation is a sentence for the learner, in ExplanationLanguage.
	Explanation         string
	ExplanationLanguage string
	Confidence          float64 // of the model, 0..1
	// HeardConfidence is the recogniser's lowest for the words of the span, 0 when it
	// gave none.
	HeardConfidence float64
	// Withheld: stored, but not shown, because the recogniser was not sure of the words.
	Withheld bool
	// Repair is what became of it; empty means RepairNone.
	Repair Repair
}

// CorrectionStatus is what became of a correction that is stored.
type CorrectionStatus string

// The states. A correction is withheld, and then nobody is shown it, or shown; what the
// learner says of one that was shown is a judgement, which they may change at any time.
const (
	CorrectionShown     CorrectionStatus = "shown"
	CorrectionWithheld  CorrectionStatus = "withheld"
	CorrectionDisputed  CorrectionStatus = "disputed"
	CorrectionConfirmed CorrectionStatus = "confirmed"
	CorrectionHidden    CorrectionStatus = "hidden"
)

// Judgement says whether s is something that a learner can say of a correction.
func (s CorrectionStatus) Judgement() bool {
	return s == CorrectionDisputed || s == CorrectionConfirmed || s == CorrectionHidden
}

// KeptCorrection is a correction with where it belongs and what its learner says of it.
type KeptCorrection struct {
	Correction
	ConversationID, MessageID string
	Status                    CorrectionStatus
	CreatedAt                 time.Time
}

// NewWord is a word that the tutor introduced.
type NewWord struct {
	Lemma       string `json:"lemma"`
	Surface     string `json:"surface"`           // as it stands in the tutor's message
	PartOf      string `json:"pos,omitempty"`     // part of speech, such as "noun"
	Translation string `json:"translation"`       // into the learner's own language
	Level       Level  `json:"level,omitempty"`   // empty when it is not known
	Example     string `json:"example,omitempty"` // the tutor's sentence that it stands in
}
