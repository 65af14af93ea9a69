package token

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/session/learn"
)

// cheap are costs that let a test hash often.
func cheap() Params { return Params{MemoryKiB: 64, Time: 1, Parallelism: 1} }

func TestHashAndVerify(t *testing.T) {
	h := NewHasher(cheap())
	for _, password := range []string{"correct horse", "  spaces  ", "пароль-по-русски", strings.Repeat("x", MaxPassword), "nul\x00inside"} {
		phc, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(phc, password) {
			t.Errorf("%q contains the password", phc)
		}
		for candidate, want := range map[string]bool{
			password: true, password + " ": false, strings.ToUpper(password) + "!": false, "": false, password[1:]: false,
		} {
			if ok, err := h.Verify(t.Context(), phc, candidate); err != nil || ok != want {
				t.Errorf("Verify(%q) against %q = %v, %v, want %v", candidate, password, ok, err, want)
			}
		}
		again, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if again == phc {
			t.Error("the salt is not fresh")
		}
	}
}

// A hash that another implementation made (the reference command-line tool, argon2id,
// salt "somesalt", 64 MiB, t=2, p=1, "password") is understood.
func TestVerifyForeignHash(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := NewHasher(cheap())
	if ok, err := h.Verify(t.Context(), phc, "password"); err != nil || !ok {
		t.Errorf("Verify = %v, %v", ok, err)
	}
	if ok, err := h.Verify(t.Context(), phc, "Password"); err != nil || ok {
		t.Errorf("Verify of another password = %v, %v", ok, err)
	}
}

// Nobody knows the password of the account that does not exist, and looking costs a hash.
func TestVerifyNobody(t *testing.T) {
	h := NewHasher(cheap())
	for _, password := range []string{"", "password", h.nobody} {
		if ok, err := h.Verify(t.Context(), "", password); err != nil || ok {
			t.Errorf("Verify(\"\", %q) = %v, %v", password, ok, err)
		}
	}
	p, err := parsePHC(h.nobody)
	if err != nil {
		t.Fatal(err)
	}
	if p.params != cheap() {
		t.Errorf("the account that does not exist costs %+v, real ones %+v", p.params, cheap())
	}
}

func TestNeedsRehash(t *testing.T) {
	old, err := NewHasher(cheap()).Hash(t.Context(), "a password")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		now  Params
		want bool
	}{
		"same costs":       {cheap(), false},
		"more memory":      {Params{MemoryKiB: 128, Time: 1, Parallelism: 1}, true},
		"more passes":      {Params{MemoryKiB: 64, Time: 2, Parallelism: 1}, true},
		"more lanes":       {Params{MemoryKiB: 64, Time: 1, Parallelism: 2}, true},
		"less than before": {Params{MemoryKiB: 32, Time: 1, Parallelism: 1}, false},
	} {
		if got := NewHasher(c.now).NeedsRehash(old); got != c.want {
			t.Errorf("%s: NeedsRehash = %v, want %v", name, got, c.want)
		}
	}
	if !NewHasher(cheap()).NeedsRehash("not a hash") {
		t.Error("what cannot be read needs no rehash")
	}
}

func TestParsePHCRefuses(t *testing.T) {
	const salt, sum = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := NewHasher(cheap())
	for _, phc := range []string{
		"$", "$$$$$", "x",
		"$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$m=64,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + sum, // 4 TiB
		"$argon2id$v=19$m=64,t=4294967295,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + sum,
		"$argon2id$v=19$m=64,t=1,p=255$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=1,p=2$" + salt + "$" + sum,
		"$argon2id$v=19$m=+64,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1,x=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1$$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + sum[1:],
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "=$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "\n$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + sum + "$",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 300),
		"$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", // the original's bcrypt
	} {
		ok, err := h.Verify(t.Context(), phc, "password")
		if ok || learn.KindOf(err) != learn.Internal || err == nil {
			t.Errorf("%q: %v, %v", phc, ok, err)
		}
	}
}

// One caller hashes per slot, 32 more wait, the next is refused at once; whoever waits
// gets a turn, and whoever gives up leaves room.
func TestHasherQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(cheap())
		h.admit, h.slots = make(chan struct{}, 1+waitingHashes), make(chan struct{}, 1)
		release, err := h.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		waiting := make(chan error, waitingHashes)
		wait := func(ctx context.Context) {
			_, err := h.Hash(ctx, "a password")
			waiting <- err
		}
		go wait(ctx)
		for range waitingHashes - 1 {
			go wait(t.Context())
		}
		synctest.Wait()
		if _, err := h.Verify(t.Context(), "", "one too many"); learn.KindOf(err) != learn.TooMany {
			t.Errorf("with the queue full: %v", err)
		}

		errGone := errors.New("the client went away")
		cancel(errGone)
		if err := <-waiting; !errors.Is(err, errGone) {
			t.Errorf("who gave up got %v", err)
		}
		go wait(t.Context()) // in the room that was left
		synctest.Wait()

		release()
		for range waitingHashes {
			if err := <-waiting; err != nil {
				t.Errorf("who waited got %v", err)
			}
		}
		if len(h.admit) != 0 || len(h.slots) != 0 {
			t.Errorf("%d admitted and %d hashing after all have gone", len(h.admit), len(h.slots))
		}
	})
}

// FuzzParsePHC looks for panics, and for strings that are read but mean something
// else than they say.
func FuzzParsePHC(f *testing.F) {
	f.Add(NewHasher(cheap()).nobody)
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := parsePHC(s); err == nil && p.String() != s {
			t.Errorf("%q was read as %q", s, p.String())
		}
	})
}
