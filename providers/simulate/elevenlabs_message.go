package simulate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// elevenInput is a client's message on a socket.
type elevenInput struct {
	Text         *string        `json:"text"`
	Context      string         `json:"context_id"`
	Flush        bool           `json:"flush"`
	Try          bool           `json:"try_trigger_generation"`
	CloseContext bool           `json:"close_context"`
	CloseSocket  bool           `json:"close_socket"`
	Settings     *elevenVoicing `json:"voice_settings"`
	Generation   *struct {
		Schedule []float64 `json:"chunk_length_schedule"`
	} `json:"generation_config"`
	Key    string `json:"xi_api_key"`
	Bearer string `json:"authorization"`
}

// parseElevenInput decodes and checks one message. The error's text is for the client.
func parseElevenInput(b []byte) (elevenInput, error) {
	var in elevenInput
	if !utf8.Valid(b) || len(bytes.TrimSpace(b)) == 0 || bytes.TrimSpace(b)[0] != '{' || json.Unmarshal(b, &in) != nil {
		return in, errors.New("the message is not a JSON object of this service")
	}
	if in.Settings != nil {
		if p := in.Settings.problem(); p != "" {
			return in, errors.New("voice_settings: " + p)
		}
	}
	if in.Generation != nil {
		for _, n := range in.Generation.Schedule {
			if n < 50 || n > 500 {
				return in, errors.New("generation_config: each item of chunk_length_schedule must be between 50 and 500")
			}
		}
	}
	return in, nil
}

// elevenOutput packs one audio message as the service does; context is empty on
// a socket without contexts. It is written by hand since it is sent ten times a
// second to every learner.
func elevenOutput(audio []byte, al elevenAlignment, context string) []byte {
	chars := mustJSON(al.chars)
	b := make([]byte, 0, 64+base64.StdEncoding.EncodedLen(len(audio))+2*(len(chars)+12*len(al.chars))+len(context))
	b = append(b, `{"audio":"`...)
	b = base64.StdEncoding.AppendEncode(b, audio)
	b = append(b, `","isFinal":null`...)
	for _, name := range [...]string{"normalizedAlignment", "alignment"} {
		b = append(append(append(b, `,"`...), name...), `":`...)
		if len(al.chars) == 0 {
			b = append(b, "null"...)
			continue
		}
		b = append(append(b, `{"chars":`...), chars...)
		b = appendInts(append(b, `,"charStartTimesMs":`...), al.starts)
		b = append(appendInts(append(b, `,"charDurationsMs":`...), al.durations), '}')
	}
	if context != "" {
		b = append(append(b, `,"contextId":`...), mustJSON(context)...)
	}
	return append(b, '}')
}

func appendInts(b []byte, list []int) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// elevenAlignment places characters in a message's audio, in milliseconds from its start.
type elevenAlignment struct {
	chars             []string
	starts, durations []int
}

// alignment returns the characters that begin in [from, to), counted from from.
func alignment(marks []spokenChar, from, to, rate int) elevenAlignment {
	al := elevenAlignment{chars: []string{}}
	for _, m := range marks {
		if m.start >= from && m.start < to {
			start := (m.start - from) * 1000 / rate
			al.chars = append(al.chars, m.char)
			al.starts = append(al.starts, start)
			al.durations = append(al.durations, (m.end-from)*1000/rate-start)
		}
	}
	return al
}
