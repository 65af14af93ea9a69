package main

import (
	"bytes"
	"errors"
	"fmt"
)

// closing is the line that a run closes with.
type closing struct {
	trials, acknowledged, lost, duplicated, violations int
	seed                                               uint64
}

const closingFormat = "chaos trials=%d acknowledged=%d acknowledged_lost=%d duplicated=%d violations=%d seed=%d"

// String is the line.
func (c closing) String() string {
	return fmt.Sprintf(closingFormat, c.trials, c.acknowledged, c.lost, c.duplicated, c.violations, c.seed)
}

// add counts another cluster's run of the same seed.
func (c *closing) add(o closing) {
	c.trials += o.trials
	c.acknowledged += o.acknowledged
	c.lost += o.lost
	c.duplicated += o.duplicated
	c.violations += o.violations
}

// splitClosing takes the checker's closing line off what it has printed; the error says
// that it has not come to a judgement.
func splitClosing(out []byte) (text []byte, c closing, err error) {
	out = bytes.TrimRight(out, "\n")
	i := bytes.LastIndexByte(out, '\n') + 1
	if _, err := fmt.Sscanf(string(out[i:]), closingFormat, &c.trials, &c.acknowledged, &c.lost, &c.duplicated, &c.violations, &c.seed); err != nil {
		return out, closing{}, errors.New("there is no closing line")
	}
	return out[:i], c, nil
}
