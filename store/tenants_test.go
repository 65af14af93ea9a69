package store_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"kalami/session/learn"
	"kalami/store"
)

// What a school has set is read; what cannot be read counts as nothing, and is told to
// whoever runs the server.
func TestTenantSettings(t *testing.T) {
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "kalami.db")
	db, err := store.Open(t.Context(), store.Options{URL: path, Migrate: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raw, err := store.OpenKeeping("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for settings, off := range map[string]bool{"{}": false, `{"drafts":{"enabled":false}}`: true, `{"drafts":3}`: false} {
		log.Reset()
		run(t, raw, "UPDATE tenants SET settings = ? WHERE id = ?", settings, learn.PersonalTenant)
		got, err := db.TenantSettings(t.Context(), learn.PersonalTenant)
		if err != nil || got.Drafts.Off() != off {
			t.Errorf("%s: off %v, %v", settings, got.Drafts.Off(), err)
		}
		if told := strings.Contains(log.String(), "not readable"); told != (settings == `{"drafts":3}`) {
			t.Errorf("%s: logged %q", settings, log.String())
		}
	}
	if _, err := db.TenantSettings(t.Context(), "nobody's"); learn.KindOf(err) != learn.NotFound {
		t.Errorf("an unknown tenant: %v", err)
	}
	run(t, raw, "UPDATE tenants SET deleted_at = created_at WHERE id = ?", learn.PersonalTenant)
	if _, err := db.TenantSettings(t.Context(), learn.PersonalTenant); learn.KindOf(err) != learn.NotFound {
		t.Errorf("a deleted tenant: %v", err)
	}
}
