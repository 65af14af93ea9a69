package elevenlabs

import "kalami/providers"

// clock counts an utterance's samples, and places characters by them.
type clock struct {
	rate    int
	samples int // delivered so far
	odd     bool
	half    byte // of a sample that a message's end divided
	start   int  // of the latest mark, in milliseconds
	last    int  // its end
}

// ms is the place of the next sample.
func (c *clock) ms() int { return c.samples * 1000 / c.rate }

// chunk decodes a message's audio, joined to the odd byte of the one before, and
// places its characters from the audio's start. letters counts those among them.
func (c *clock) chunk(audio []byte, align *alignment) (out providers.Chunk, letters int, err error) {
	at := c.ms()
	if out.PCM, err = c.decode(audio); err != nil {
		return out, 0, err
	}
	out.Marks, letters = align.marks()
	c.place(out.Marks, at)
	return out, letters, nil
}

// decode returns whole samples.
func (c *clock) decode(audio []byte) ([]byte, error) {
	if len(audio) == 0 {
		return nil, nil
	}
	pcm := make([]byte, 0, len(audio)/4*3+4)
	if c.odd {
		pcm = append(pcm, c.half)
	}
	pcm, err := decodeAudio(pcm, audio)
	if err != nil {
		return nil, err
	}
	if c.odd = len(pcm)%2 == 1; c.odd {
		c.half = pcm[len(pcm)-1]
		pcm = pcm[:len(pcm)-1]
	}
	c.samples += len(pcm) / 2
	return pcm, nil
}

// place moves marks to the utterance's time; they never go backwards.
func (c *clock) place(marks []providers.CharMark, at int) {
	for i := range marks {
		m := &marks[i]
		m.StartMS = max(at+m.StartMS, c.start)
		m.EndMS = max(at+m.EndMS, m.StartMS)
		c.start, c.last = m.StartMS, max(c.last, m.EndMS)
	}
}
