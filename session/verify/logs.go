package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// checkLogs is I10.
func (e *Evidence) checkLogs(r *Report) error {
	for _, l := range e.Logs {
		if err := e.checkLog(r, l); err != nil {
			return fmt.Errorf("verify: %s: %w", l.Name, err)
		}
	}
	return nil
}

func (e *Evidence) checkLog(r *Report, l Log) (err error) {
	file, err := l.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		for i, canary := range e.Canaries {
			if canary != "" && bytes.Contains(line, []byte(canary)) {
				r.violated(Violation{Invariant: logsAreClean, What: fmt.Sprintf("%s line %d holds canary %d", l.Name, n, i+1), At: -1})
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
