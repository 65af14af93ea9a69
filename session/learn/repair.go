package learn

import (
	"slices"
	"strings"
)

// Repair says what became of a mistake after it was corrected.
type Repair string

// The repairs. A learner who says the right form after the tutor has said it was prompted.
const (
	RepairNone     Repair = "none"
	RepairPrompted Repair = "prompted"
	Repaired       Repair = "repaired"
)

// RepairTurns is within how many turns of the learner's a repair counts as one.
const RepairTurns = 3

// RepairOf says whether a mistake was repaired by what was said after it: messages are those
// behind the one that it stands in, oldest first, of both speakers. The right form counts
// when it stands in one of the next [RepairTurns] messages of the learner's, as whole words
// in any case; it was prompted when a message of the tutor's that the learner had heard by
// then holds it too. A right form that is too short to tell, or none, is never repaired.
func RepairOf(c Correction, after []Message) Repair {
	if c.Corrected == "" || !tellsApart(c) {
		return RepairNone
	}
	prompted, turns := false, 0
	for _, m := range after {
		if m.Speaker == SpeakerTutor {
			prompted = prompted || saidIn(m.Heard, c.Corrected)
			continue
		}
		if turns++; turns > RepairTurns {
			break
		}
		if !saidIn(m.Content, c.Corrected) {
			continue
		}
		if prompted {
			return RepairPrompted
		}
		return Repaired
	}
	return RepairNone
}

// tellsApart says whether the right form shows by itself that it is meant: it has a word of
// three letters or more (or of a script without spaces) that the wrong one has not.
func tellsApart(c Correction) bool {
	wrong := strings.Fields(bare(c.Original))
	for _, w := range strings.Fields(bare(c.Corrected)) {
		long := len([]rune(w)) >= 3 || strings.ContainsFunc(w, Wide)
		if long && !slices.Contains(wrong, w) {
			return true
		}
	}
	return false
}
