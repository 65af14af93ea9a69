package simulate

// Script is a short role play that the simulated recogniser and tutor both follow:
// the recogniser hears Learner's lines, one per stretch of speech; the tutor
// answers with the line beside it.
type Script struct {
	// Language is a BCP-47 primary subtag.
	Language string
	// Opener is the tutor's first line.
	Opener string
	Turns  []Turn
	// Otherwise is what the tutor says to anything that is not in the script.
	Otherwise string
	// Mistakes and Words are what a simulated analysis of a turn finds: the mistakes
	// that stand in what the learner said, the words that stand in the tutor's answer.
	Mistakes []Mistake
	Words    []Word
}

// Turn is one exchange of a script.
type Turn struct {
	Learner, Tutor string
}

// Mistake is one that a learner of the script makes, explained in English.
type Mistake struct {
	Original, Corrected             string
	Category, Severity, Explanation string
}

// Word is one that the tutor of the script introduces, translated into English.
type Word struct {
	Surface, Lemma, PartOf, Translation, Level string
}

// Scripts returns the built-in role plays, a table for two, by language code.
func Scripts() map[string]Script { return builtin }
