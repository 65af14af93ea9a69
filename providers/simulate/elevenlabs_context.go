package simulate

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// elevenContext is one stream of text being spoken on a socket. It stays open,
// and counts, until its final message has been sent: also after close_context,
// while what was flushed before is still being spoken, as at the real service.
type elevenContext struct {
	// Static.
	socket *elevenSocket
	name   string
	wake   chan struct{} // 1: there is something to do

	mu        sync.Mutex
	buffer    string       // text whose audio has not been begun
	jobs      []elevenPart // text to speak now
	schedule  []float64    // how much text the next generations wait for
	made      int          // generations so far
	chars     int          // characters taken
	speed     float64      // of speech; 0 is normal
	ended     bool         // no text follows
	spokeOnce bool         // some audio has been sent
}

// elevenPart is text that is spoken in one go.
type elevenPart struct {
	text    string
	flushed bool // say so when it is done
}

// take adds a message's text and acts on its flags; false when it is too much.
func (ec *elevenContext) take(in elevenInput) bool {
	ec.mu.Lock()
	defer ec.mu.Unlock()
	if in.Generation != nil && len(in.Generation.Schedule) > 0 {
		ec.schedule = in.Generation.Schedule
	}
	if in.Settings != nil && in.Settings.Speed != nil {
		ec.speed = *in.Settings.Speed
	}
	if in.Text != nil {
		if ec.chars += utf8.RuneCountInString(*in.Text); ec.chars > elevenMaxCharacters {
			return false
		}
		if ec.buffer != "" || strings.TrimSpace(*in.Text) != "" {
			ec.buffer += *in.Text
		}
	}
	switch {
	case in.Flush || ec.socket.query.autoMode:
		ec.generate(len(ec.buffer), in.Flush)
	case ec.enough(in.Try):
		ec.generate(lastBoundary(ec.buffer), false)
	}
	if in.CloseContext {
		ec.close()
	}
	return true
}

// generate hands the buffer's first n bytes to the speaking goroutine. mu is held.
func (ec *elevenContext) generate(n int, flushed bool) {
	text := ec.buffer[:n]
	ec.buffer = ec.buffer[n:]
	if strings.TrimSpace(text) == "" && !flushed {
		return
	}
	ec.jobs = append(ec.jobs, elevenPart{text, flushed})
	ec.made++
	ec.signal()
}

// enough says whether the schedule lets the next generation begin; a client that
// urges it on needs the least that the service allows.
func (ec *elevenContext) enough(try bool) bool {
	schedule := ec.schedule
	if len(schedule) == 0 {
		schedule = []float64{120, 160, 250, 290}
	}
	need := schedule[min(ec.made, len(schedule)-1)]
	if try {
		need = 50
	}
	return utf8.RuneCountInString(ec.buffer) >= int(need)
}

// lastBoundary is where the last whole fragment of text ends, or else its last word.
func lastBoundary(text string) int {
	if i := strings.LastIndexAny(text, ".,;:?!…\n"); i >= 0 {
		_, n := utf8.DecodeRuneInString(text[i:])
		i += n
		for i < len(text) && text[i] == ' ' {
			i++
		}
		return i
	}
	return strings.LastIndexFunc(text, unicode.IsSpace) + 1
}

// close ends the context: what was flushed is still spoken, the rest is dropped.
// mu is held.
func (ec *elevenContext) close() {
	ec.buffer = ""
	if ec.socket.plan.Kind == FaultEarlyClose && !ec.spokeOnce {
		ec.jobs = nil
	}
	ec.ended = true
	ec.signal()
}

// finish ends the context with everything that was written.
func (ec *elevenContext) finish() {
	ec.mu.Lock()
	defer ec.mu.Unlock()
	ec.generate(len(ec.buffer), false)
	ec.ended = true
	ec.signal()
}

func (ec *elevenContext) closing() bool {
	ec.mu.Lock()
	defer ec.mu.Unlock()
	return ec.ended
}

func (ec *elevenContext) signal() {
	select {
	case ec.wake <- struct{}{}:
	default:
	}
}

// next waits for text to speak; false when there will be none.
func (ec *elevenContext) next() (elevenPart, bool) {
	for {
		ec.mu.Lock()
		if len(ec.jobs) > 0 {
			job := ec.jobs[0]
			ec.jobs = slices.Delete(ec.jobs, 0, 1)
			ec.mu.Unlock()
			return job, true
		}
		ended := ec.ended
		ec.mu.Unlock()
		if ended {
			return elevenPart{}, false
		}
		select {
		case <-ec.wake:
		case <-ec.socket.ctx.Done():
			return elevenPart{}, false
		}
	}
}

// run speaks the context's text and says when it is complete.
func (ec *elevenContext) run() {
	c := ec.socket
	for job, ok := ec.next(); ok; job, ok = ec.next() {
		if !ec.speak(job.text) {
			return
		}
		if job.flushed && c.multi {
			done := map[string]any{"type": "flush_done", "context_id": ec.name, "status_code": 206, "done": false, "data": "", "flush_done": true}
			if !c.send(mustJSON(done)) {
				return
			}
		}
	}
	final := map[string]any{"audio": nil, "isFinal": true}
	if ec.name != "" {
		final["contextId"] = ec.name
	}
	if c.send(mustJSON(final)) {
		c.ended(ec)
	}
}

// speak sends the audio of text, message by message; false when the socket is over.
func (ec *elevenContext) speak(text string) bool {
	c := ec.socket
	if strings.TrimSpace(text) == "" {
		return true
	}
	if !c.s.sleep(c.ctx, c.s.opt.Latency.TTSFirstByte) {
		return false
	}
	rate := c.query.format.rate
	if c.plan.Kind == FaultWrongRate {
		rate = rate * 2 / 3
	}
	ec.mu.Lock()
	speed := cmp.Or(ec.speed, 1)
	ec.mu.Unlock()
	sp, err := c.s.voice.speak(c.ctx, text, c.query.lang, rate, speed)
	if err != nil {
		return false
	}
	n := c.query.format.rate * elevenPieceMS / 1000
	encode := c.query.format.packer()
	for from := 0; from < len(sp.pcm); from += n {
		to := min(from+n, len(sp.pcm))
		until := to
		if to == len(sp.pcm) || !c.query.syncAlignment {
			until = len(sp.pcm) + 1
		}
		var al elevenAlignment
		if from == 0 || c.query.syncAlignment {
			al = alignment(sp.marks, from, until, c.query.format.rate)
		}
		if !c.send(elevenOutput(encode(sp.pcm[from:to], to == len(sp.pcm)), al, ec.name)) {
			return false
		}
		ec.mu.Lock()
		ec.spokeOnce = true
		ec.mu.Unlock()
		if !c.s.sleep(c.ctx, c.s.pace(to-from, rate)) {
			return false
		}
	}
	return true
}
