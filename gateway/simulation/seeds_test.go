package simulation

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// What was wrong once does not come back.
func TestSeeds(t *testing.T) {
	text, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		number, why, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || number == "#" {
			continue
		}
		t.Run(number, func(t *testing.T) {
			seed, err := strconv.ParseUint(number, 0, 64)
			if err != nil {
				t.Fatal(err)
			}
			r, w := trial(t, seed, lengthOfTrial, nothingPlanted)
			if check(t, r, w); t.Failed() {
				t.Logf("what was wrong once: %s", why)
			}
		})
	}
}
