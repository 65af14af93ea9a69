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
)

// Messages returns p's lines in the form that every chat vendor takes: they begin
// and end with the learner, alternate, and none is empty. Neighbours of one role
// are joined by a line break; a stage direction fills in for a missing learner.
func (p Prompt) Messages() []Line {
	out := make([]Line, 0, len(p.Lines)+2)
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
