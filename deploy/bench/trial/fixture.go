package trial

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kalami/gateway/learner"
)

// Fixture is a recording of a learner, and what is known about it.
type Fixture struct {
	// Name is the file's, without its extension.
	Name string
	// Language is a BCP-47 tag; empty when nobody speaks.
	Language string
	// Spoken holds what is said, one entry for each turn; none when nobody speaks.
	Spoken []string
	// Purpose says what the recording is for.
	Purpose string

	path string
}

// Text is all that is spoken.
func (f *Fixture) Text() string { return strings.Join(f.Spoken, " ") }

// Hesitant says whether the speaker pauses within a turn.
func (f *Fixture) Hesitant() bool { return strings.HasSuffix(f.Name, "-hesitant") }

// Recording reads the audio.
func (f *Fixture) Recording() (learner.Recording, error) {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return learner.Recording{}, err
	}
	rec, err := learner.ReadWAV(bytes.NewReader(data))
	if err != nil {
		return rec, fmt.Errorf("%s: %w", f.path, err)
	}
	return rec, nil
}

// header is the first line of a folder's utterances.tsv. " / " parts turns.
var header = []string{"file", "lang", "spoken", "what it is for"}

// Fixtures reads the list of recordings, utterances.tsv, of a folder. The error
// names the line that cannot be used, or the recording that is not there.
func Fixtures(dir string) ([]Fixture, error) {
	list := filepath.Join(dir, "utterances.tsv")
	data, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, len(header)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	if len(rows) < 2 || !slices.Equal(rows[0], header) {
		return nil, fmt.Errorf("%s: is no list of recordings, which has the columns %q", list, header)
	}
	var all []Fixture
	for _, row := range rows[1:] {
		f := Fixture{Name: row[0], Language: row[1], Purpose: row[3], path: filepath.Join(dir, row[0]+".wav")}
		if row[2] != "" {
			f.Spoken = strings.Split(row[2], " / ")
		}
		if _, err := os.Stat(f.path); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		all = append(all, f)
	}
	return all, nil
}
