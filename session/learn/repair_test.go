package learn_test

import (
	"testing"

	"kalami/session/learn"
)

// A mistake is repaired when the right form is said within three turns; after the tutor had
// said it, the learner was prompted.
func TestRepairOf(t *testing.T) {
	tutor := func(text string) learn.Message {
		return learn.Message{Speaker: learn.SpeakerTutor, Content: text + " y más", Heard: text}
	}
	learner := func(text string) learn.Message {
		return learn.Message{Speaker: learn.SpeakerLearner, Content: text}
	}
	for name, tt := range map[string]struct {
		wrong, right string
		after        []learn.Message
		want         learn.Repair
	}{
		"nothing follows":              {"soy", "estoy", nil, learn.RepairNone},
		"at once":                      {"soy", "estoy", []learn.Message{tutor("¿Cómo?"), learner("Ah, Estoy cansado.")}, learn.Repaired},
		"after the tutor":              {"soy", "estoy", []learn.Message{tutor("Se dice «estoy»."), learner("Sí"), tutor("Bien"), learner("estoy cansado")}, learn.RepairPrompted},
		"what the tutor was not heard": {"soy", "más", []learn.Message{tutor("Se dice"), learner("quiero más")}, learn.Repaired},
		"the wrong form again":         {"soy", "estoy", []learn.Message{learner("soy cansado"), learner("estoy bien")}, learn.Repaired},
		"part of another word":         {"soy", "esto", []learn.Message{learner("estoy")}, learn.RepairNone},
		"the fourth turn":              {"soy", "estoy", []learn.Message{learner("uno"), learner("dos"), learner("tres"), learner("estoy")}, learn.RepairNone},
		"a short word tells nothing":   {"el", "la", []learn.Message{learner("la casa")}, learn.RepairNone},
		"nor does a word left out":     {"yo quiero", "quiero", []learn.Message{learner("quiero")}, learn.RepairNone},
		"nor does nothing":             {"el", "", []learn.Message{learner("casa")}, learn.RepairNone},
		"a script without spaces":      {"学生", "先生", []learn.Message{learner("先生です")}, learn.Repaired},
	} {
		c := learn.Correction{Original: tt.wrong, Corrected: tt.right}
		if got := learn.RepairOf(c, tt.after); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
