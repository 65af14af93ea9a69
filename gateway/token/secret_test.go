package token

import (
	"strings"
	"testing"
)

const conversation = "0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"

func TestSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		kt, kr := NewTicket(), NewResume(conversation)
		if !IsTicket(kt) || IsResume(kt) {
			t.Fatalf("ticket %q is not recognised as one", kt)
		}
		if !IsResume(kr) || IsTicket(kr) {
			t.Fatalf("resume token %q is not recognised as one", kr)
		}
		if seen[kt] || seen[kr] {
			t.Fatal("a secret came twice")
		}
		seen[kt], seen[kr] = true, true
	}
}

func TestIsTicketRefuses(t *testing.T) {
	body := strings.Repeat("A", 43)
	for name, s := range map[string]string{
		"empty":             "",
		"prefix alone":      "kt_",
		"another prefix":    "ek_" + body,
		"upper-case prefix": "KT_" + body,
		"too short":         "kt_" + body[1:],
		"too long":          "kt_" + body + "A",
		"padding":           "kt_" + body[1:] + "=",
		"other alphabet":    "kt_" + body[1:] + "+",
		"line break":        "kt_" + body[1:] + "\n",
		"trailing bits":     "kt_" + body[1:] + "B",
	} {
		if IsTicket(s) {
			t.Errorf("%s: %q was taken for a ticket", name, s)
		}
	}
	if !IsTicket("kt_" + body) {
		t.Error("the case that the others are made from is refused as well")
	}
}

// A resume token says which conversation it is for, in one spelling.
func TestResumeNamesItsConversation(t *testing.T) {
	good := NewResume(conversation)
	if id, ok := ParseResume(good); id != conversation || !ok {
		t.Errorf("%q names %q, %v", good, id, ok)
	}
	if a, b := NewResume(conversation), NewResume(conversation); a == b || a[:24] != b[:24] {
		t.Errorf("%q and %q: want the same conversation and other secrets", a, b)
	}
	for name, s := range map[string]string{
		"empty":            "",
		"without its id":   "kr_" + strings.Repeat("A", 43),
		"a ticket":         "kt_" + good[3:],
		"cut off":          good[:len(good)-1],
		"longer":           good + "A",
		"a line break":     good[:len(good)-1] + "\n",
		"standard base 64": good[:len(good)-1] + "+",
	} {
		if id, ok := ParseResume(s); ok || id != "" || IsResume(s) {
			t.Errorf("%s: %q names %q, %v", name, s, id, ok)
		}
	}
	for _, id := range []string{"", "c1", strings.ToUpper(conversation), "urn:uuid:" + conversation, strings.ReplaceAll(conversation, "-", "")} {
		if s := NewResume(id); s != "" {
			t.Errorf("a token for %q: %q", id, s)
		}
	}
}

// FuzzParseResume looks for panics, and for a token with two spellings.
func FuzzParseResume(f *testing.F) {
	f.Add(NewResume(conversation))
	f.Add("kr_" + strings.Repeat("A", 43))
	f.Add("kr_" + strings.Repeat("A", 64))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := ParseResume(s)
		if !ok {
			if id != "" {
				t.Errorf("%q is refused and names %q", s, id)
			}
			return
		}
		b, _ := secretOf(s, resumePrefix, 48)
		if again := resumePrefix + rawURL().EncodeToString(b); again != s {
			t.Errorf("%q is also %q", s, again)
		}
		if fresh := NewResume(id); fresh == "" || fresh[:24] != s[:24] {
			t.Errorf("%q names %q, of which a token is %q", s, id, fresh)
		}
	})
}

func TestHashIsSHA256(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, "abc"
	if got := Hash("abc"); got != want {
		t.Errorf("Hash(abc) = %s, want %s", got, want)
	}
}
