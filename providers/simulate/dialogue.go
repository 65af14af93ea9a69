package simulate

import (
	"maps"
	"slices"
	"strings"

	"kalami/providers"
)

// A chat is what the simulated tutor looks at: who it is told to be and what was said.
type chat struct {
	system string
	// said are the learner's lines and the tutor's, alternating in any way.
	said []providers.Line
}

// The dialogue's thresholds, in shares of words.
const (
	// minPrecision of what the learner said must be words of a script's line …
	minPrecision = 0.6
	// … and that much of the line must have been said, so that a half-finished or
	// badly recognised sentence still counts, but a chance "I would like" does not.
	minRecall = 0.35
)

// answer returns what the simulated tutor says next. It is a function of the
// conversation alone:
//
//   - nothing said by the learner yet: the opener of the language that the system
//     prompt names by its code in parentheses, "Spanish (es)", and then the tutor's last
//     line again, for a learner who is silent;
//   - a line of a script, in any language, more or less: the line beside it;
//   - a wish to hear it again: the tutor's last line;
//   - anything else: the script's Otherwise.
//
// A reply that broke off ([providers.DirectionContinue]) is gone on with from its end.
// What stands between the reminder marks, and other stage directions, are nobody's words.
func (s *Server) answer(c chat) string {
	if n := len(c.said); n > 1 && c.said[n-1].Role == providers.RoleLearner && strings.Contains(c.said[n-1].Text, providers.DirectionContinue) {
		return continued(s.answer(chat{c.system, c.said[:n-2]}), c.said[n-2].Text)
	}
	script, ok := s.opt.Scripts[s.language(c.system)]
	if !ok {
		return ""
	}
	learner := lastOf(c.said, providers.RoleLearner)
	tutor := lastOf(c.said, providers.RoleTutor)
	tutor = tutor[strings.LastIndexByte(tutor, '\n')+1:] // neighbours arrive joined
	if learner == "" {
		if tutor == "" {
			return script.Opener
		}
		return s.whole(tutor)
	}
	if line, ok := s.match(learner, script.Language); ok {
		return line
	}
	// Neighbouring lines of the learner's arrive joined; the last may match alone.
	if i := strings.LastIndexByte(learner, '\n'); i >= 0 {
		if line, ok := s.match(learner[i+1:], script.Language); ok {
			return line
		}
	}
	if wantsAgain(learner) {
		if tutor == "" {
			return script.Opener
		}
		return s.whole(tutor)
	}
	return script.Otherwise
}

// language finds the code in parentheses that a system prompt names first, of
// those that have a script; else English, else the first script's.
func (s *Server) language(system string) string {
	for rest := system; ; {
		_, after, ok := strings.Cut(rest, "(")
		if !ok {
			break
		}
		rest = after
		if tag, _, ok := strings.Cut(after, ")"); ok && len(tag) <= 12 {
			code, _, _ := strings.Cut(strings.ToLower(tag), "-")
			if _, ok := s.opt.Scripts[code]; ok {
				return code
			}
		}
	}
	if _, ok := s.opt.Scripts["en"]; ok {
		return "en"
	}
	for _, code := range s.codes() {
		return code
	}
	return ""
}

// codes are the scripts' languages in order, so that nothing hangs on a map's.
func (s *Server) codes() []string { return slices.Sorted(maps.Keys(s.opt.Scripts)) }

// match finds the script line that said comes closest to and returns the tutor's
// answer to it. Among equals the prompt's language wins, then the earlier line.
func (s *Server) match(said, preferred string) (string, bool) {
	heard := wordsOf(said)
	if len(heard) == 0 {
		return "", false
	}
	var best float64
	var answer string
	codes := s.codes()
	slices.SortStableFunc(codes, func(a, b string) int {
		switch {
		case a == preferred:
			return -1
		case b == preferred:
			return 1
		}
		return 0
	})
	for _, code := range codes {
		for _, turn := range s.opt.Scripts[code].Turns {
			if score := likeness(heard, wordsOf(turn.Learner)); score > best {
				best, answer = score, turn.Tutor
			}
		}
	}
	return answer, best > 0
}

// likeness compares what was heard with a line: the harmonic mean of the shares
// of each that the other has, or 0 when they are too far apart.
func likeness(heard, line []string) float64 {
	if len(heard) == 0 || len(line) == 0 {
		return 0
	}
	left := make(map[string]int, len(line))
	for _, w := range line {
		left[w]++
	}
	common := 0
	for _, w := range heard {
		if left[w] > 0 {
			left[w]--
			common++
		}
	}
	precision := float64(common) / float64(len(heard))
	recall := float64(common) / float64(len(line))
	if common < min(2, len(line)) || precision < minPrecision || recall < minRecall {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// whole returns the script's full line that heard is a beginning of: after an
// interruption the conversation holds only what the learner heard.
func (s *Server) whole(heard string) string {
	part := strings.Join(wordsOf(heard), " ")
	if part == "" {
		return heard
	}
	for _, code := range s.codes() {
		script := s.opt.Scripts[code]
		lines := []string{script.Opener, script.Otherwise}
		for _, t := range script.Turns {
			lines = append(lines, t.Tutor)
		}
		for _, l := range lines {
			if strings.HasPrefix(strings.Join(wordsOf(l), " "), part) {
				return l
			}
		}
	}
	return heard
}

// lastOf returns the words of the last message of a role, without reminders and
// stage directions; "" when there is none.
func lastOf(said []providers.Line, role providers.Role) string {
	for _, l := range slices.Backward(said) {
		if l.Role != role {
			continue
		}
		if text := spokenText(l.Text); text != "" {
			return text
		}
	}
	return ""
}

// spokenText strips what nobody said from a message's text.
func spokenText(text string) string {
	for {
		before, rest, ok := strings.Cut(text, providers.ReminderOpen)
		if !ok {
			break
		}
		_, after, _ := strings.Cut(rest, providers.ReminderClose)
		text = before + after
	}
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		return ""
	}
	return text
}
