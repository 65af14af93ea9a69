package learn

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Lesson is a conversation with all that is known of what was said in it: what a report on
// it is made from.
type Lesson struct {
	Conversation   Conversation
	NativeLanguage string
	Said           []Message // oldest first
	// Corrections are those that were not withheld, by message.
	Corrections map[string][]Correction
	// Analyses are what was found out beside, by message; turns that are not analysed yet, or
	// never will be, have none.
	Analyses map[string]TurnAnalysis
	// Waiting is how many turns are still to be analysed.
	Waiting int
}

// Summary is the report on a conversation. Its counted part follows from what is stored; its
// told part is a model's, and may be missing.
type Summary struct {
	Told ToldSummary `json:"told"`

	Turns   int           `json:"turns"` // the learner's
	Words   int           `json:"words"` // the learner's
	Learner time.Duration `json:"learner_ns"`
	Tutor   time.Duration `json:"tutor_ns"`
	// LearnerShare is the learner's part of the time in which somebody spoke, 0 to 1; 0 when
	// nobody did.
	LearnerShare float64 `json:"learner_share"`
	// WordsPerMinute is how fast the learner spoke while they spoke; 0 without a voice.
	WordsPerMinute float64 `json:"words_per_minute"`
	// CorrectionIDs are the mistakes that may be shown, in the order of the conversation;
	// Repaired of them were said rightly afterwards, Prompted once the tutor had said it.
	CorrectionIDs []string `json:"correction_ids"`
	Repaired      int      `json:"repaired"`
	Prompted      int      `json:"prompted"`
	// NewWords are those that the tutor introduced, L1Words those said in another language.
	NewWords []NewWord `json:"new_words"`
	L1Words  []L1Word  `json:"l1_words"`
	// Suggestions are cards that the learner could keep, at most [SuggestedCards].
	Suggestions []CardSuggestion `json:"suggestions"`
	// Goals are those of the conversation's scenario, in its order; none for free talk.
	Goals    []GoalState   `json:"-"`
	Evidence LevelEvidence `json:"evidence"`
	// Waiting is how many turns are still to be analysed: the report may grow.
	Waiting int `json:"waiting"`
}

// ToldSummary is what a model says of a conversation. The zero value is nothing.
type ToldSummary struct {
	Language string       `json:"language"` // of the texts
	WentWell []string     `json:"went_well"`
	NextStep string       `json:"next_step"`
	Facts    []MemoryFact `json:"facts"`
	Provider string       `json:"provider"`
}

// MemoryFact is something that a learner said of themselves, worth remembering.
type MemoryFact struct {
	Kind      string `json:"kind"` // one of [FactKinds]
	Text      string `json:"text"`
	MessageID string `json:"message_id"`
}

// SuggestedCards is how many cards a report suggests at the most.
const SuggestedCards = 5

// CardSuggestion is a card that a learner could keep.
type CardSuggestion struct {
	Kind         CardKind   `json:"kind"`
	Front        string     `json:"front"`
	Back         string     `json:"back"`
	Origin       CardOrigin `json:"origin"`
	MessageID    string     `json:"message_id"`
	CorrectionID string     `json:"correction_id,omitempty"`
}

// LevelEvidence is what a conversation says about the learner's level. It decides nothing.
type LevelEvidence struct {
	Words         int              `json:"words"`
	UniqueWords   int              `json:"unique_words"`
	WordsPerTurn  float64          `json:"words_per_turn"`
	Errors        map[Severity]int `json:"errors"`
	ErrorsPer100  float64          `json:"errors_per_100_words"`
	L1Share       float64          `json:"l1_share"`      // of the words, 0 to 1
	Comprehension float64          `json:"comprehension"` // of the turns of which it is known, 0 to 1
	GoalsMet      int              `json:"goals_met"`
	// Analysed is how many of the learner's turns were analysed.
	Analysed int `json:"analysed"`
	// Rated counts the learner's different words by level, as far as that is known.
	Rated map[Level]int `json:"rated,omitempty"`
}

// The most that a report lists.
const summaryWords = 20

// Counted is the counted part of the report.
func (l Lesson) Counted() Summary {
	s := Summary{CorrectionIDs: []string{}, NewWords: []NewWord{}, L1Words: []L1Word{}, Suggestions: []CardSuggestion{},
		Waiting: l.Waiting, Evidence: LevelEvidence{Errors: map[Severity]int{}}}
	unique := map[string]bool{}
	for _, m := range l.Said {
		if m.Speaker == SpeakerTutor {
			s.Tutor += m.Audio
			continue
		}
		words := Units(Words(m.Content))
		for _, w := range words {
			unique[w] = true
		}
		s.Turns++
		s.Words += len(words)
		s.Learner += m.Audio
		s.count(l.Corrections[m.ID])
		s.add(l.Analyses[m.ID])
	}
	s.Goals = l.Conversation.Scene.Progress()
	if spoken := s.Learner + s.Tutor; spoken > 0 {
		s.LearnerShare = s.Learner.Seconds() / spoken.Seconds()
	}
	if s.Learner > 0 {
		s.WordsPerMinute = float64(l.spokenWords()) / s.Learner.Minutes()
	}
	s.Suggestions = l.suggestions()
	s.weigh(l, len(unique))
	return s
}

// spokenWords counts the words of the learner's that were said and not typed.
func (l Lesson) spokenWords() (n int) {
	for _, m := range l.Said {
		if m.Speaker == SpeakerLearner && m.Source != "text" {
			n += len(Units(Words(m.Content)))
		}
	}
	return n
}

func (s *Summary) count(found []Correction) {
	for _, c := range found {
		s.CorrectionIDs = append(s.CorrectionIDs, c.ID)
		s.Evidence.Errors[c.Severity]++
		switch c.Repair {
		case Repaired:
			s.Repaired++
		case RepairPrompted:
			s.Prompted++
		}
	}
}

// add takes what was found out about a turn, each word once.
func (s *Summary) add(a TurnAnalysis) {
	for _, w := range a.NewWords {
		if len(s.NewWords) < summaryWords && !slices.ContainsFunc(s.NewWords, func(k NewWord) bool { return strings.EqualFold(k.Lemma, w.Lemma) }) {
			s.NewWords = append(s.NewWords, w)
		}
	}
	for _, w := range a.L1Words {
		if len(s.L1Words) < summaryWords && !slices.ContainsFunc(s.L1Words, func(k L1Word) bool { return bare(k.Text) == bare(w.Text) }) {
			s.L1Words = append(s.L1Words, w)
		}
	}
}

// weigh makes the evidence of a level.
func (s *Summary) weigh(l Lesson, unique int) {
	e := &s.Evidence
	e.Words, e.UniqueWords, e.Analysed = s.Words, unique, len(l.Analyses)
	for _, g := range s.Goals {
		if g.Met != nil {
			e.GoalsMet++
		}
	}
	if s.Words == 0 {
		return
	}
	e.WordsPerTurn = float64(s.Words) / float64(s.Turns)
	e.ErrorsPer100 = 100 * float64(len(s.CorrectionIDs)) / float64(s.Words)
	foreign, known, followed := 0, 0, 0.0
	for _, a := range l.Analyses {
		for _, w := range a.L1Words {
			foreign += len(Units(Words(w.Text)))
		}
		switch a.Comprehension {
		case UnderstoodAll:
			known, followed = known+1, followed+1
		case UnderstoodPart:
			known, followed = known+1, followed+0.5
		case UnderstoodNone:
			known++
		}
	}
	e.L1Share = min(1, float64(foreign)/float64(s.Words))
	if known > 0 {
		e.Comprehension = followed / float64(known)
	}
}

// suggestions are the cards that the learner could keep: the worst mistakes that were not
// repaired by themselves, and the words that were missing.
func (l Lesson) suggestions() []CardSuggestion {
	type ranked struct {
		CardSuggestion
		rank int
	}
	var all []ranked
	for _, m := range l.Said {
		for _, c := range l.Corrections[m.ID] {
			rank := 2 - weight(string(c.Severity))
			if c.Repair == Repaired {
				rank += 3
			}
			all = append(all, ranked{CardSuggestion{Kind: CardFix, Front: m.Content, Back: c.in(m.Content), Origin: FromCorrection, MessageID: m.ID, CorrectionID: c.ID}, rank})
		}
		for _, w := range l.Analyses[m.ID].L1Words {
			all = append(all, ranked{CardSuggestion{Kind: CardSpeak, Front: w.Text, Back: w.Target, Origin: FromL1, MessageID: m.ID}, 1})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	kept := []CardSuggestion{}
	for _, r := range all {
		c := r.CardSuggestion
		c.Front, c.Back = line(c.Front, exampleMost), line(c.Back, exampleMost)
		if c.Front == "" || c.Back == "" || len(kept) == SuggestedCards || slices.ContainsFunc(kept, func(k CardSuggestion) bool { return bare(k.Back) == bare(c.Back) }) {
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// in is the text with the mistake put right; empty when it does not stand there.
func (c Correction) in(text string) string {
	r := []rune(text)
	if c.Start < 0 || c.End > len(r) || c.Start > c.End || string(r[c.Start:c.End]) != c.Original {
		return ""
	}
	return string(r[:c.Start]) + c.Corrected + string(r[c.End:])
}
