package verify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one line of a history, in bytes.
const maxLine = 64 << 10

// Read reads a history to its end and calls each with its records, in order. torn is true
// when the last line has no end, which a killed writer leaves behind: it is not looked at.
// Any other line that is no record is an error that names the line, from 1. An error of
// each ends the reading.
func Read(r io.Reader, each func(Record) error) (torn bool, err error) {
	in := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return len(text) > 0, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return false, fmt.Errorf("verify: line %d is longer than %d bytes", n, maxLine)
		case err != nil:
			return false, fmt.Errorf("verify: line %d: %w", n, err)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		var rec Record
		if err := json.Unmarshal(text, &rec); err != nil {
			return false, fmt.Errorf("verify: line %d: %w", n, err)
		}
		if err := each(rec); err != nil {
			return false, err
		}
	}
}
