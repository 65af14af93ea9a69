package providers

import "strings"

// The marks around [Prompt.Reminder] where it travels inside the learner's last
// message. Models keep to instructions in such a block without answering it; a
// system message at the end of a conversation is refused by some engines.
const (
	ReminderOpen  = "<reminder>"
	ReminderClose = "</reminder>"
)

// Stage directions stand where vendors insist on a message of the learner's and
// there is none. They are in parentheses, which nothing a learner says ever is.
const (
	// DirectionBegin opens a conversation in which the tutor speaks first.
	DirectionBegin = "(The conversation begins.)"
	// DirectionSilence follows a line of the tutor's that was not answered.
	DirectionSilence = "(The learner is silent.)"
	// DirectionContinue follows a reply that broke off, see [Prompt.Said].
	DirectionContinue = "(Your reply above broke off there. The learner has heard all of it. Go on from its very end, " +
		"in the same language and manner, without repeating a word of it and without a remark on this. " +
		"If nothing is missing, answer with a single full stop.)"
)

// Messages returns p's lines in the form that every chat vendor takes: they begin
// and end with the learner, alternate, and none is empty. Neighbours of one role
// are joined by a line break; a stage direction fills in for a missing learner. With
// [Prompt.Said] the tutor's unfinished reply and [DirectionContinue] come last.
func (p Prompt) Messages() []Line {
	out := make([]Line, 0, len(p.Lines)+4)
	for _, l := range p.Lines {
		text := strings.TrimSpace(l.Text)
		if text == "" {
			continue
		}
		if len(out) == 0 && l.Role == RoleTutor {
			out = append(out, Line{RoleLearner, DirectionBegin})
		}
		if n := len(out); n > 0 && out[n-1].Role == l.Role {
			out[n-1].Text += "\n" + text
			continue
		}
		out = append(out, Line{l.Role, text})
	}
	switch n := len(out); {
	case n == 0:
		out = append(out, Line{RoleLearner, DirectionBegin})
	case out[n-1].Role == RoleTutor:
		out = append(out, Line{RoleLearner, DirectionSilence})
	}
	if said := strings.TrimSpace(p.Said); said != "" {
		out = append(out, Line{RoleTutor, said}, Line{RoleLearner, DirectionContinue})
	}
	return out
}

// ReminderBlock returns the reminder between its marks, or "" when there is none.
func (p Prompt) ReminderBlock() string {
	r := strings.TrimSpace(p.Reminder)
	if r == "" {
		return ""
	}
	return ReminderOpen + "\n" + r + "\n" + ReminderClose
}
