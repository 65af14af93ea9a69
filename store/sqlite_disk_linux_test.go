package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kalami/store"
	"kalami/store/storetest"
)

// TestFullDisk is TestFullDatabase on a small disk that somebody else fills: the database,
// its log and its log's index have no room to grow. Only root may mount one.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small disk is to be had: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	db := storetest.Open(t, store.Options{URL: filepath.Join(disk, "kalami.db")})
	ballast := filepath.Join(disk, "ballast")
	fillUp(t, db, func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for block := make([]byte, 4096); err == nil; { // until there is no room
			_, err = f.Write(block)
		}
	}, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}
