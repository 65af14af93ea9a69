package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Recorder takes down what was seen. Implementations may be called from any goroutine.
type Recorder interface {
	// Record takes down one fact, as seen now. The conversation is empty for what
	// concerns a whole node.
	Record(conversation string, f Fact)
}

// Writer writes a history. There is no queue: each record is one write, and the caller
// waits for it, so that nothing seen before a process is killed is missing afterwards.
// A file's writes end in memory of the operating system, which a killed process leaves
// behind; give it no writer that is slower than that.
type Writer struct {
	by      string
	started time.Time

	mu  sync.Mutex
	w   io.Writer
	buf bytes.Buffer
	enc *json.Encoder
	err error // the first
}

// NewWriter returns a Writer to w, which stays the caller's to close, after the last
// record. by is the writer's name, see [Record].
func NewWriter(w io.Writer, by string) *Writer {
	out := &Writer{by: by, started: time.Now(), w: w}
	out.enc = json.NewEncoder(&out.buf)
	return out
}

// Record implements [Recorder]. It blocks while the underlying writer does. After an error
// nothing more is written.
func (w *Writer) Record(conversation string, f Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	at := w.started.Add(time.Since(w.started))
	w.buf.Reset()
	if w.err = w.enc.Encode(Record{By: w.by, At: at, Conversation: conversation, Fact: f}); w.err != nil {
		return
	}
	_, w.err = w.w.Write(w.buf.Bytes())
}

// Err returns the first error of writing, or nil. A history with an error is not whole.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return fmt.Errorf("verify: history of %s: %w", w.by, w.err)
	}
	return nil
}
