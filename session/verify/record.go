package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Version is that of the history's format. It rises when old readers would misread new
// histories.
const Version = 1

// Record is one line of a history.
type Record struct {
	// By names the writer: one client, or one run of one node. No two writers of a trial
	// have the same name.
	By string
	// At is the writer's wall clock at its start plus the time that has passed since, to
	// the microsecond. It never goes back within one writer.
	At time.Time
	// Conversation is empty for what concerns a whole node.
	Conversation string
	Fact         Fact
}

// Fact is what was seen. The facts are a closed list.
type Fact interface {
	// Kind is the fact's name in the file.
	Kind() string
}

// line is a record as it stands in the file.
type line struct {
	Version      int             `json:"v"`
	By           string          `json:"by"`
	AtUS         int64           `json:"at_us"`
	Conversation string          `json:"conversation,omitempty"`
	Kind         string          `json:"kind"`
	Data         json.RawMessage `json:"data"`
}

// MarshalJSON implements json.Marshaler.
func (r Record) MarshalJSON() ([]byte, error) {
	if r.Fact == nil {
		return nil, errors.New("verify: a record without a fact")
	}
	data, err := json.Marshal(r.Fact)
	if err != nil {
		return nil, err
	}
	return json.Marshal(line{
		Version: Version, By: r.By, AtUS: r.At.UnixMicro(), Conversation: r.Conversation, Kind: r.Fact.Kind(), Data: data,
	})
}

// UnmarshalJSON implements json.Unmarshaler. It refuses what it does not know: another
// version, kind or field is a history that this program cannot judge.
func (r *Record) UnmarshalJSON(data []byte) error {
	var l line
	if err := strict(data, &l); err != nil {
		return err
	}
	switch {
	case l.Version != Version:
		return fmt.Errorf("version %d, this program reads %d", l.Version, Version)
	case l.By == "":
		return errors.New(`"by" is missing`)
	}
	decode, ok := decoders()[l.Kind]
	if !ok {
		return fmt.Errorf("kind %q is unknown", l.Kind)
	}
	fact, err := decode(l.Data)
	if err != nil {
		return fmt.Errorf("kind %q: %w", l.Kind, err)
	}
	*r = Record{By: l.By, At: time.UnixMicro(l.AtUS).UTC(), Conversation: l.Conversation, Fact: fact}
	return nil
}

// strict decodes one JSON value that has no field unknown to v, and nothing after it.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

// decoders returns what reads each kind of fact.
func decoders() map[string]func(json.RawMessage) (Fact, error) {
	m := map[string]func(json.RawMessage) (Fact, error){}
	kind[Connected](m)
	kind[EventReceived](m)
	kind[Acknowledged](m)
	kind[Said](m)
	kind[MicSent](m)
	kind[MicAcked](m)
	kind[AudioReceived](m)
	kind[SentenceHeard](m)
	kind[PlaybackOver](m)
	kind[CanarySeen](m)
	kind[Closed](m)

	kind[NodeStarted](m)
	kind[TookOver](m)
	kind[Committed](m)
	kind[WriteRefused](m)
	kind[ConversationEnded](m)
	kind[SessionEnded](m)
	kind[MicTaken](m)
	kind[Analysed](m)
	kind[VendorCalled](m)
	kind[Counted](m)
	return m
}

// kind enters the fact F.
func kind[F Fact](m map[string]func(json.RawMessage) (Fact, error)) {
	var f F
	m[f.Kind()] = func(data json.RawMessage) (Fact, error) {
		var f F
		if err := strict(data, &f); err != nil {
			return nil, err
		}
		return f, nil
	}
}
