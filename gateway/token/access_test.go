package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAccessRoundTrip(t *testing.T) {
	i := newIssuer(t)
	raw, issued, err := i.Issue("u1", "personal", 3, testNow.Add(123*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.Verify(raw, testNow.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if got != issued {
		t.Errorf("verified %+v, issued %+v", got, issued)
	}
	want := Access{ID: got.ID, UserID: "u1", TenantID: "personal", Version: 3, IssuedAt: testNow, ExpiresAt: testNow.Add(30 * time.Minute)}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	again, _, err := i.Issue("u1", "personal", 3, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if again == raw {
		t.Error("two tokens of the same second are the same")
	}
}

func TestVerifyAcceptsWhatItShould(t *testing.T) {
	i := newIssuer(t)
	byPrevious := honest().head("kid", keyID(previousKey))
	byPrevious.key = previousKey
	for name, raw := range map[string]string{
		"the honest token":              honest().String(),
		"signed by the previous key":    byPrevious.String(),
		"expired within the leeway":     honest().claim("iat", testNow.Add(-time.Hour).Unix()).claim("exp", testNow.Add(-Leeway+time.Second).Unix()).String(),
		"issued by a clock ahead of us": honest().claim("iat", testNow.Add(Leeway).Unix()).String(),
		"already in force":              honest().claim("nbf", testNow.Unix()).String(),
		"audience as a list of one":     honest().claim("aud", []string{"kalami"}).String(),
		"a claim we do not know":        honest().claim("scope", "x").String(),
	} {
		if a, err := i.Verify(raw, testNow); err != nil || a.UserID != "u1" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestVerifyRefusesForgedTokens(t *testing.T) {
	i := newIssuer(t)
	forged := forgedTokens()
	if len(forged) < 60 {
		t.Fatalf("only %d forged tokens", len(forged))
	}
	for name, raw := range forged {
		t.Run(name, func(t *testing.T) {
			a, err := i.Verify(raw, testNow)
			if err == nil {
				t.Fatalf("accepted: %+v", a)
			}
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%v does not have ErrInvalid in its chain", err)
			}
			if a != (Access{}) {
				t.Errorf("refused, but returned %+v", a)
			}
			// 1e300 seconds are more than the parser's clock can hold; it takes them for the past.
			expired := name == "expired" || name == "exp beyond any clock"
			if errors.Is(err, ErrExpired) != expired {
				t.Errorf("ErrExpired in the chain: %v", err)
			}
			if len(raw) > 20 && strings.Contains(err.Error(), raw) {
				t.Error("the error repeats the token")
			}
		})
	}
}

// A token outlives the key that signed it by one rotation, and no more.
func TestKeyRotation(t *testing.T) {
	old, err := NewIssuer(Config{Key: previousKey})
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := old.Issue("u1", "personal", 0, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newIssuer(t).Verify(raw, testNow); err != nil {
		t.Errorf("while the key is being replaced: %v", err)
	}
	after, err := NewIssuer(Config{Key: presentKey})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Verify(raw, testNow); !errors.Is(err, ErrInvalid) {
		t.Errorf("after the rotation: %v", err)
	}
	fresh, _, err := newIssuer(t).Issue("u1", "personal", 0, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Verify(fresh, testNow); !errors.Is(err, ErrInvalid) {
		t.Error("new tokens are still signed by the previous key")
	}
}

func TestNewIssuerRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"no key":               {},
		"a short key":          {Key: presentKey[:MinKeyBytes-1]},
		"a short previous key": {Key: presentKey, Previous: []byte("short")},
		"a negative lifetime":  {Key: presentKey, Lifetime: -time.Minute},
		"a lifetime of a week": {Key: presentKey, Lifetime: 7 * 24 * time.Hour},
	} {
		if _, err := NewIssuer(c); err == nil {
			t.Errorf("%s: no error", name)
		} else if len(c.Key) > 0 && strings.Contains(err.Error(), string(c.Key)) {
			t.Errorf("%s: the error tells the key", name)
		}
	}
}

// FuzzVerify looks for panics, and for a token that is accepted without being, byte
// for byte, what the issuer's key signed.
func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	signed := honest().String()
	f.Add(signed)
	for _, forged := range forgedTokens() {
		if len(forged) < MaxAccessBytes {
			f.Add(forged)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := i.Verify(s, testNow); err == nil && s != signed {
			t.Errorf("accepted %q as %+v", s, a)
		}
	})
}
