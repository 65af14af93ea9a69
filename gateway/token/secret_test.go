package token

import (
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		kt, kr := NewTicket(), NewResume()
		if !IsTicket(kt) || IsResume(kt) {
			t.Fatalf("ticket %q is not recognised as one", kt)
		}
		if !IsResume(kr) || IsTicket(kr) {
			t.Fatalf("resume secret %q is not recognised as one", kr)
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

func TestHashIsSHA256(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, "abc"
	if got := Hash("abc"); got != want {
		t.Errorf("Hash(abc) = %s, want %s", got, want)
	}
}
