package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SigningKeys returns the keys of access tokens: the first signs, all verify.
// With SQLite and no SECRET_KEY it reads the key beside the database file, making
// it first when there is none. It is the only part of the configuration that
// writes; commands that merely look at the configuration do not call it.
func (c *Config) SigningKeys() ([]Secret, error) {
	key := c.Accounts.SecretKey
	if key == "" {
		kept, err := loadOrMakeKey(c.SecretKeyPath())
		if err != nil {
			return nil, &configError{[]problem{{"SECRET_KEY", "is not set, and the kept key cannot be used: " + err.Error()}}}
		}
		key = kept
	}
	if c.Accounts.PreviousSecretKey == "" {
		return []Secret{key}, nil
	}
	return []Secret{key, c.Accounts.PreviousSecretKey}, nil
}

// loadOrMakeKey returns the key kept at path. Of several processes that start at
// once, all get the same key.
func loadOrMakeKey(path string) (Secret, error) {
	key, err := loadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return loadKey(path)
}

// loadKey reads a kept key; one that others may read has to be looked at by a person.
func loadKey(path string) (Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	text, err := readSmallFile(path)
	if err != nil {
		return "", err
	}
	key := Secret(strings.TrimSpace(text))
	if len(key) < minKeyBytes {
		return "", fmt.Errorf("%s holds %d bytes instead of at least %d; remove it to have a new one made, which ends every login", path, len(key), minKeyBytes)
	}
	return key, nil
}

// makeKey puts a fresh key at path, whole or not at all, and fails with
// fs.ErrExist when there is one already.
func makeKey(path string) error {
	secret := make([]byte, 48)
	_, _ = rand.Read(secret)                                              // never fails
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	// A link, unlike a rename, does not replace what another process made meanwhile.
	return os.Link(f.Name(), path)
}
