package token

import "testing"

// A successor has the form of a refresh token, is the same whenever it is asked for,
// and follows from the parent and the key alone.
func TestNextRefresh(t *testing.T) {
	issuer := newIssuer(t)
	first := NewRefresh()
	next := issuer.NextRefresh(first)
	if !IsRefresh(first) || !IsRefresh(next) || next == first {
		t.Fatalf("first %q, next %q", first, next)
	}
	if again := newIssuer(t).NextRefresh(first); again != next {
		t.Errorf("another node with the same key makes %q, want %q", again, next)
	}
	seen := map[string]bool{first: true}
	for range 1000 {
		if seen[next] {
			t.Fatalf("%q comes twice", next)
		}
		seen[next] = true
		next = issuer.NextRefresh(next)
	}
	if one, other := NewRefresh(), NewRefresh(); issuer.NextRefresh(one) == issuer.NextRefresh(other) {
		t.Error("two parents have one successor")
	}
}

// While the key is replaced, a node with the new key knows the successor that one with
// the old key has stored; a node that never had that key does not.
func TestRefreshAcrossKeys(t *testing.T) {
	old, err := NewIssuer(Config{Key: previousKey})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := NewIssuer(Config{Key: foreignKey})
	if err != nil {
		t.Fatal(err)
	}
	parent := NewRefresh()
	stored := old.NextRefresh(parent)
	if got, ok := newIssuer(t).RefreshWithHash(parent, Hash(stored)); !ok || got != stored {
		t.Errorf("with the new key: %q, %v; want %q", got, ok, stored)
	}
	if own := newIssuer(t).NextRefresh(parent); own == stored {
		t.Error("new tokens are derived with the previous key")
	}
	if got, ok := foreign.RefreshWithHash(parent, Hash(stored)); ok {
		t.Errorf("with a foreign key: %q", got)
	}
}
