package providers_test

import (
	"strings"
	"testing"

	"kalami/providers"
)

// script writes lines as "user: text|assistant: text".
func script(lines []providers.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, string(l.Role)+": "+l.Text)
	}
	return strings.Join(out, "|")
}

func TestPromptMessages(t *testing.T) {
	const learner, tutor = providers.RoleLearner, providers.RoleTutor
	cases := []struct {
		name  string
		lines []providers.Line
		want  string
	}{
		{"nothing said", nil, "user: (The conversation begins.)"},
		{"only blanks", []providers.Line{{learner, " "}, {tutor, "\n"}}, "user: (The conversation begins.)"},
		{"the usual", []providers.Line{{learner, "a"}, {tutor, "b"}, {learner, "c"}}, "user: a|assistant: b|user: c"},
		{"tutor first", []providers.Line{{tutor, "b"}, {learner, "c"}}, "user: (The conversation begins.)|assistant: b|user: c"},
		{"tutor last", []providers.Line{{learner, "a"}, {tutor, "b"}}, "user: a|assistant: b|user: (The learner is silent.)"},
		{"tutor alone", []providers.Line{{tutor, "b"}}, "user: (The conversation begins.)|assistant: b|user: (The learner is silent.)"},
		{"neighbours", []providers.Line{{learner, "a "}, {tutor, ""}, {learner, " b"}, {tutor, "c"}, {tutor, "d"}, {learner, "e"}}, "user: a\nb|assistant: c\nd|user: e"},
	}
	for _, c := range cases {
		if got := script(providers.Prompt{Lines: c.lines}.Messages()); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A reply that broke off comes last, and what the model is to do with it.
func TestPromptMessagesOfABrokenReply(t *testing.T) {
	for name, c := range map[string]struct {
		lines []providers.Line
		said  string
		want  string
	}{
		"after the learner": {[]providers.Line{{Role: providers.RoleLearner, Text: "a"}}, " One. Two, ",
			"user: a|assistant: One. Two,|user: " + providers.DirectionContinue},
		"after a silence": {[]providers.Line{{Role: providers.RoleLearner, Text: "a"}, {Role: providers.RoleTutor, Text: "b"}}, "One.",
			"user: a|assistant: b|user: " + providers.DirectionSilence + "|assistant: One.|user: " + providers.DirectionContinue},
		"the opener":   {nil, "One.", "user: " + providers.DirectionBegin + "|assistant: One.|user: " + providers.DirectionContinue},
		"nothing said": {[]providers.Line{{Role: providers.RoleLearner, Text: "a"}}, " ", "user: a"},
	} {
		if got := script(providers.Prompt{Lines: c.lines, Said: c.said}.Messages()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPromptMessagesLeavesThePromptAlone(t *testing.T) {
	lines := []providers.Line{{Role: providers.RoleLearner, Text: "a"}, {Role: providers.RoleLearner, Text: "b"}}
	p := providers.Prompt{Lines: lines}
	p.Messages()
	if p.Messages(); script(lines) != "user: a|user: b" {
		t.Errorf("the prompt's own lines became %q", script(lines))
	}
}

func TestReminderBlock(t *testing.T) {
	if got := (providers.Prompt{Reminder: " \n"}).ReminderBlock(); got != "" {
		t.Errorf("no reminder gives %q", got)
	}
	if got := (providers.Prompt{Reminder: "Level A1.\n"}).ReminderBlock(); got != "<reminder>\nLevel A1.\n</reminder>" {
		t.Errorf("got %q", got)
	}
}

// FuzzPromptMessages checks what vendors insist on, for any conversation. Each
// byte of roles says whose the line is.
func FuzzPromptMessages(f *testing.F) {
	f.Add("ltlt", "a,b,c,d")
	f.Add("ttt", ",,x")
	f.Fuzz(func(t *testing.T, roles, texts string) {
		var p providers.Prompt
		for i, text := range strings.Split(texts, ",") {
			role := providers.RoleLearner
			if i < len(roles) && roles[i] == 't' {
				role = providers.RoleTutor
			}
			p.Lines = append(p.Lines, providers.Line{Role: role, Text: text})
		}
		got := p.Messages()
		if len(got) == 0 || got[0].Role != providers.RoleLearner || got[len(got)-1].Role != providers.RoleLearner {
			t.Fatalf("%q does not begin and end with the learner", script(got))
		}
		for i, l := range got {
			if l.Text == "" || i > 0 && l.Role == got[i-1].Role {
				t.Fatalf("%q has an empty line or neighbours of one role", script(got))
			}
		}
	})
}
