package session

import (
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"
)

// joined is what a joint lets pass of a continuation that comes in pieces of n runes.
func joined(said, continuation string, n int) string {
	s := newJoint(said)
	var b strings.Builder
	for rest := []rune(continuation); len(rest) > 0; {
		k := min(n, len(rest))
		b.WriteString(s.write(string(rest[:k])))
		rest = rest[k:]
	}
	b.WriteString(s.rest())
	return b.String()
}

func TestJoint(t *testing.T) {
	const said = "I like it very much. Have you been to Madrid, "
	for name, c := range map[string]struct{ said, continuation, want string }{
		"goes on":                         {said, "or to Toledo?", "or to Toledo?"},
		"without a blank":                 {"I like it very much.", "Have you been?", " Have you been?"},
		"with a blank of its own":         {"I like it very much.", " Have you been?", " Have you been?"},
		"in a script without blanks":      {"你好，", "我很好。", "我很好。"},
		"a mark first":                    {"I like it", ", really.", ", really."},
		"an inverted mark":                {"Me gusta.", "¿Y a ti?", " ¿Y a ti?"},
		"repeats all":                     {said, said + "or to Toledo?", "or to Toledo?"},
		"repeats the last sentence":       {said, "Have you been to Madrid, or to Toledo?", "or to Toledo?"},
		"in other capitals and marks":     {said, "… have you been to MADRID – or to Toledo?", "or to Toledo?"},
		"repeats the first sentence":      {said, "I like it very much. So do I.", "So do I."},
		"repeats all and nothing more":    {said, "I like it very much. Have you been to Madrid?", ""},
		"repeats some and nothing more":   {said, "I like it very much.", ""},
		"a short word again":              {"Yes, yes. ", "Yes, I know.", "Yes, I know."},
		"the same beginning":              {said, "Have you been there with your sister?", "Have you been there with your sister?"},
		"a full stop":                     {said, ".", ""},
		"nothing":                         {said, "", ""},
		"repeats a script without blanks": {"今天天气很好。", "今天天气很好。我们走吧。", "我们走吧。"},
		"behind nothing":                  {"", "Hello.", "Hello."},
		"behind a short reply, again":     {"Hi! ", "Hi! How are you?", "How are you?"},
	} {
		for _, n := range []int{1, 3, 100} {
			if got := joined(c.said, c.continuation, n); got != c.want {
				t.Errorf("%s, %d at a time: %q, want %q", name, n, got, c.want)
			}
		}
	}
}

// Whatever is repeated of a reply at the joint, cut at any word, the whole is the reply.
func TestJointAtEveryWord(t *testing.T) {
	const reply = "Qué bien, te felicito. Hoy tenemos pescado fresco, pollo asado y una sopa de verduras. ¿Qué te gustaría comer?"
	words := strings.SplitAfter(reply, " ")
	for cut := 1; cut < len(words); cut++ {
		said, rest := strings.Join(words[:cut], ""), strings.Join(words[cut:], "")
		for from := range cut {
			again := strings.Join(words[from:cut], "")
			if from > 0 && weight(lettersIn(again)) < enoughRepeated {
				continue // too little to tell from words that belong there
			}
			if got := said + joined(said, again+rest, 4); got != reply {
				t.Errorf("cut at word %d, repeated from %d: %q", cut, from, got)
			}
		}
	}
}

// FuzzJoint: a joint never invents, and never loses what is no repetition.
func FuzzJoint(f *testing.F) {
	f.Add("I like it. ", "I like it. And you?", 3)
	f.Add("你好", "你好吗", 1)
	f.Fuzz(func(t *testing.T, said, continuation string, n int) {
		if n < 1 || !utf8.ValidString(continuation) {
			return
		}
		got := joined(said, continuation, n)
		if trimmed := strings.TrimPrefix(got, " "); !strings.HasSuffix(continuation, got) && !strings.HasSuffix(continuation, trimmed) {
			t.Errorf("%q behind %q became %q", continuation, said, got)
		}
	})
}

// What comes in other pieces passes the same.
func TestJointMindsNoPieces(t *testing.T) {
	same := func(said, continuation string, n uint8) bool {
		return joined(said, continuation, int(n)+1) == joined(said, continuation, 1<<20)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
}
