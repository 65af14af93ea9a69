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
}

// Turn is one exchange of a script.
type Turn struct {
	Learner, Tutor string
}

// Scripts returns the built-in role plays, a table for two, by language code.
func Scripts() map[string]Script { return builtin }
