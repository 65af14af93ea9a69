package learn

import "time"

// AssessmentMode says whether the learner read a text or spoke freely.
type AssessmentMode string

// The two modes.
const (
	Scripted    AssessmentMode = "scripted"
	Spontaneous AssessmentMode = "spontaneous"
)

// Basis says what an assessment rests on.
type Basis string

// The two bases. Only the second has heard sounds: a recogniser that understands well
// hides mispronunciation, so how surely it understood is never called accuracy.
const (
	RecognitionBasis Basis = "asr_recognition"
	AcousticBasis    Basis = "acoustic_phoneme"
)

// WordStatus says what became of a word.
type WordStatus string

// What becomes of words. An insertion that repeats what stands beside it is a repetition;
// only an assessor that has heard the sounds can say mispronounced.
const (
	WordMatch         WordStatus = "match"
	WordOmission      WordStatus = "omission"
	WordInsertion     WordStatus = "insertion"
	WordSubstitution  WordStatus = "substitution"
	WordRepetition    WordStatus = "repetition"
	WordMispronounced WordStatus = "mispronounced"
)

// Capability is something that an assessment can tell.
type Capability string

// The capabilities, in the order in which they are listed.
const (
	CanCompleteness Capability = "completeness"
	CanWordStatus   Capability = "word_status"
	CanRecognition  Capability = "recognition"
	CanFluency      Capability = "fluency"
	CanAccuracy     Capability = "accuracy"
	CanProsody      Capability = "prosody"
	CanPhonemes     Capability = "phonemes"
)

// Assessment is what can be said of how a learner spoke. Its JSON is what the API shows.
type Assessment struct {
	ID string `json:"id" doc:"UUID" example:"0197b0f1-4c11-7a52-9d0e-2b64c0f8a1d7"`

	TenantID string `json:"-"`
	UserID   string `json:"-"`

	// ConversationID is the conversation that it belongs to, MessageID the learner's message
	// in it that was assessed after its turn; empty for an exercise.
	ConversationID *string        `json:"session_id" doc:"The session that it belongs to; null for an exercise on its own"`
	MessageID      *string        `json:"message_id" doc:"The message of a talk that it is about; null when a recording was sent"`
	Mode           AssessmentMode `json:"mode" doc:"scripted when there was a text to read" enum:"scripted,spontaneous" example:"scripted"`
	Language       string         `json:"language" example:"es"`
	Reference      *string        `json:"reference_text" doc:"What was to be read; null when the learner spoke freely" example:"Quiero un café con leche"`
	Provider       string         `json:"provider" doc:"Who heard it; with an assessor, who judged it" example:"deepgram-basic"`
	Basis          Basis          `json:"basis" doc:"asr_recognition: words that a recogniser understood; acoustic_phoneme: the sounds themselves" enum:"asr_recognition,acoustic_phoneme" example:"asr_recognition"`
	Capabilities   []Capability   `json:"capabilities" doc:"What this assessment can tell; what is not here is null" enum:"completeness,word_status,recognition,fluency,accuracy,prosody,phonemes"`
	// Overall is nil unless an assessor has heard the sounds.
	Overall      *float64       `json:"overall_score" doc:"null unless an assessor has judged the sounds" minimum:"0" maximum:"100"`
	Scores       Scores         `json:"scores" doc:"Figures of 0 to 100; null where nobody can tell"`
	Fluency      Fluency        `json:"fluency" doc:"Measured from the times of words"`
	Words        []AssessedWord `json:"words" doc:"In the order of speech; omitted words where they were missed"`
	ProblemAreas []ProblemArea  `json:"problem_areas" doc:"What to work on, most evidence first"`
	Suggestions  []Suggestion   `json:"suggestions" doc:"At most three sentences for the learner"`
	Caveat       string         `json:"caveat" doc:"What the figures are not, in the learner's language" example:"Based on how clearly a recogniser understood you, not on the sounds themselves."`
	CreatedAt    time.Time      `json:"created_at" example:"2026-03-04T05:16:37Z"`

	// ProviderVersion names the model; for the log and for comparing later.
	ProviderVersion string `json:"-"`
}

// Scores are figures of 0 to 100, nil where nobody can tell.
type Scores struct {
	Accuracy     *float64 `json:"accuracy" doc:"Of the sounds; null unless an assessor has judged them" minimum:"0" maximum:"100"`
	Completeness *float64 `json:"completeness" doc:"Words of the text that were said; null without a text" minimum:"0" maximum:"100" example:"80"`
	Fluency      *float64 `json:"fluency" doc:"An assessor's; the measures are beside it" minimum:"0" maximum:"100"`
	Prosody      *float64 `json:"prosody" doc:"An assessor's" minimum:"0" maximum:"100"`
	Recognition  *float64 `json:"recognition" doc:"How surely the recogniser understood the words: no measure of the sounds; null when it does not say" minimum:"0" maximum:"100" example:"87"`
}

// Fluency is measured from the times of words. What cannot be measured is nil.
type Fluency struct {
	DurationMS      int      `json:"duration_ms" doc:"Of the recording" example:"3120"`
	VoicedMS        int      `json:"voiced_ms" doc:"Within words" example:"2410"`
	Unit            string   `json:"unit" doc:"What is counted: characters where words are not written apart" enum:"word,character" example:"word"`
	Units           int      `json:"units" doc:"How many were said, fillers aside" example:"5"`
	WordsPerMinute  *float64 `json:"words_per_minute" doc:"Over the duration; null without times" example:"96"`
	ArticulationWPM *float64 `json:"articulation_wpm" doc:"Over the voiced time; null without times" example:"124"`
	Pauses          Pauses   `json:"pauses" doc:"Silences of a quarter of a second or more between words"`
	Fillers         *int     `json:"fillers" doc:"Sounds of hesitation; null where the recogniser does not write them down: all languages but English" example:"1"`
	Repeats         int      `json:"repeats" doc:"Words or phrases said again at once" example:"0"`
	MeanRun         *float64 `json:"mean_length_of_run" doc:"Words between pauses; null without times" example:"2.5"`
}

// Pauses are silences of a quarter of a second or more between two words.
type Pauses struct {
	Count     int  `json:"count" doc:"How many" example:"2"`
	MeanMS    int  `json:"mean_ms" doc:"0 without a pause" example:"310"`
	LongestMS int  `json:"longest_ms" doc:"0 without a pause" example:"420"`
	InPhrase  *int `json:"in_phrase" doc:"Those that no punctuation accounts for; null where nothing tells phrases apart" example:"1"`
}

// AssessedWord is one word that was said or should have been.
type AssessedWord struct {
	// Index counts what was said, RefIndex the words of the text.
	Index         *int        `json:"index" doc:"Place among what was said; null for an omission" example:"0"`
	RefIndex      *int        `json:"ref_index" doc:"Place in the text; null for what does not stand there" example:"0"`
	Word          string      `json:"word" doc:"As the text has it, else as it was heard" example:"quiero"`
	Heard         *string     `json:"heard" doc:"What the recogniser understood; null for an omission" example:"quiero"`
	Status        *WordStatus `json:"status" doc:"null in free speech, where nothing says what should have been said" enum:"match,omission,insertion,substitution,repetition,mispronounced" example:"match"`
	Recognition   *float64    `json:"recognition" doc:"How surely the recogniser understood it; null when it does not say" minimum:"0" maximum:"100" example:"96"`
	Accuracy      *float64    `json:"accuracy" doc:"Of its sounds; null unless an assessor has judged them" minimum:"0" maximum:"100"`
	StartMS       *int        `json:"start_ms" doc:"From the beginning of the recording; null without times" example:"120"`
	EndMS         *int        `json:"end_ms" doc:"null without times" example:"480"`
	PauseBeforeMS *int        `json:"pause_before_ms" doc:"Silence before it; null without times" example:"120"`
	Phonemes      []Phoneme   `json:"phonemes" nullable:"true" doc:"null unless an assessor has judged them"`
}

// Phoneme is one sound, as an assessor that heard it judged it.
type Phoneme struct {
	Symbol   string   `json:"symbol" doc:"The sound as its alphabet writes it" example:"tʃ"`
	Alphabet string   `json:"alphabet" doc:"What the symbol is written in; vendor: the assessor has names of its own" enum:"ipa,sapi,arpabet,vendor" example:"ipa"`
	Accuracy *float64 `json:"accuracy" doc:"null when it is not told" minimum:"0" maximum:"100" example:"41"`
	HeardAs  *string  `json:"heard_as" doc:"The sound that it was most like; null when that is not told" example:"ʃ"`
}

// ProblemKind says what a problem area is.
type ProblemKind string

// The kinds of problem areas.
const (
	ProblemWord   ProblemKind = "word"
	ProblemSound  ProblemKind = "sound"
	ProblemPauses ProblemKind = "pauses"
)

// ProblemArea is something to work on.
type ProblemArea struct {
	Kind     ProblemKind `json:"kind" doc:"What it is: a word, a sound, or pauses within phrases" enum:"word,sound,pauses" example:"word"`
	Value    string      `json:"value" doc:"The word or the sound" example:"leche"`
	Evidence int         `json:"evidence" doc:"How often it was observed" example:"1"`
}

// Suggestion is a sentence for the learner.
type Suggestion struct {
	Text     string `json:"text" example:"Say “leche” again, slowly: it was hard to recognise."`
	Language string `json:"language" example:"en"`
}

// Misheard is a word that was often hard to recognise, or a sound that was often judged to
// be off, in what a learner has been assessed on.
type Misheard struct {
	Kind     ProblemKind `json:"kind" doc:"A word that was hard to recognise, or a sound that was off" enum:"word,sound" example:"word"`
	Value    string      `json:"value" doc:"The word or the sound" example:"leche"`
	Language string      `json:"language" example:"es"`
	// Sittings counts different conversations, and different days of exercises.
	Sittings int `json:"sittings" doc:"In how many different sessions, or days of exercises" example:"2"`
	Evidence int `json:"evidence" doc:"How often" example:"3"`
	// Recognition and Accuracy are means over the evidence.
	Recognition *float64  `json:"recognition" doc:"Mean; null for a sound" minimum:"0" maximum:"100" example:"48.5"`
	Accuracy    *float64  `json:"accuracy" doc:"Mean; null for a word" minimum:"0" maximum:"100"`
	Basis       Basis     `json:"basis" doc:"What it rests on" enum:"asr_recognition,acoustic_phoneme" example:"asr_recognition"`
	LastAt      time.Time `json:"last_at" doc:"When it was observed last" example:"2026-03-04T05:16:37Z"`
}

// Observation is one time that a word or a sound was hard to understand.
type Observation struct {
	Kind     ProblemKind // word or sound
	Value    string
	Language string
	// Sitting is where: a conversation's id, or the day of an exercise.
	Sitting string
	// Score is the recognition of a word, the accuracy of a sound.
	Score float64
	At    time.Time
}

// Drill is a sentence to practise words on.
type Drill struct {
	Text     string   `json:"text" example:"¿Quieres el café con leche o solo?"`
	Language string   `json:"language" example:"es"`
	Targets  []string `json:"targets" doc:"The words that it is for" example:"[\"leche\"]"`
	Source   string   `json:"source" doc:"Where it is from: what the tutor said, a text that was read, or the word alone" enum:"tutor,exercise,word" example:"tutor"`
}

// FluencySample is one turn's or exercise's fluency, for series over time.
type FluencySample struct {
	At             time.Time
	ConversationID string // empty for an exercise
	Language       string
	Mode           AssessmentMode
	Fluency        Fluency
}

// ConsentPurpose is what a consent is for.
type ConsentPurpose string

// PronunciationProvider is sending recordings to an assessor of pronunciation.
const PronunciationProvider ConsentPurpose = "pronunciation_provider"

// Consent is one decision of a learner's. Decisions are added and never changed: the
// latest for a purpose counts.
type Consent struct {
	ID       string
	TenantID string
	UserID   string
	Purpose  ConsentPurpose
	// Granted says whether it was given or withdrawn.
	Granted bool
	// GrantedBy is the user who decided, Method how: "app".
	GrantedBy, Method string
	// TextVersion names the text that was agreed to.
	TextVersion string
	At          time.Time
}

// AgeBand is how old a user is, as far as it matters.
type AgeBand string

// The age bands.
const (
	AgeAdult   AgeBand = "adult"
	AgeTeen    AgeBand = "teen"
	AgeChild   AgeBand = "child"
	AgeUnknown AgeBand = "unknown"
)
