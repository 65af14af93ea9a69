package main

import (
	"os"
	"strings"
	"sync"
	"testing"
)

func TestSigningKeysAreMadeOnceAndKept(t *testing.T) {
	l, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.SecretKeyPath()); err == nil {
		t.Error("looking at the configuration made a key")
	}
	// Several processes start at the same time: one key wins for all.
	got := make([]Secret, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			keys, err := l.SigningKeys()
			if err != nil || len(keys) != 1 {
				t.Errorf("keys %v, error %v", keys, err)
				return
			}
			got[i] = keys[0]
		})
	}
	wg.Wait()
	for _, key := range got {
		if key != got[0] || len(key) < minKeyBytes {
			t.Fatalf("keys differ or are short: %d and %d bytes", len(key), len(got[0]))
		}
	}
	info, err := os.Stat("kalami.db.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, error %v", info, err)
	}
	if left, _ := os.ReadDir("."); len(left) != 1 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestAKeyThatOthersMayReadIsRefused(t *testing.T) {
	l, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "kalami.db.key", aKey)
	if err := os.Chmod("kalami.db.key", 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = l.SigningKeys()
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "chmod 600 kalami.db.key") {
		t.Errorf("error %v", err)
	}
	if err := os.Chmod("kalami.db.key", 0o600); err != nil {
		t.Fatal(err)
	}
	if keys, err := l.SigningKeys(); err != nil || keys[0].Reveal() != aKey {
		t.Errorf("keys %v, error %v", keys, err)
	}
	write(t, "kalami.db.key", "short")
	if _, err = l.SigningKeys(); exitCode(err) != exitUsage || strings.Contains(err.Error(), "short") {
		t.Errorf("error %v", err)
	}
}

func TestSigningKeysThatAreSet(t *testing.T) {
	old := strings.Repeat("o", minKeyBytes)
	l, err := load(t, "", "SECRET_KEY="+aKey, "KALAMI_SECRET_KEY_PREVIOUS="+old)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := l.SigningKeys()
	if err != nil || len(keys) != 2 || keys[0].Reveal() != aKey || keys[1].Reveal() != old {
		t.Errorf("keys %d, error %v", len(keys), err)
	}
	if left, _ := os.ReadDir("."); len(left) != 0 {
		t.Errorf("files made though a key was set: %v", left)
	}
}
