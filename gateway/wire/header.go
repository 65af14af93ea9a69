package wire

import (
	"encoding/binary"
	"fmt"

	"kalami/session"
)

// HeaderBytes is the length of a binary frame's header.
const HeaderBytes = 12

// protocolNibble is the high nibble of a binary frame's first byte.
const protocolNibble = 1

// Kind is the direction of a binary frame: the low nibble of its first byte.
type Kind uint8

// The kinds of binary frames.
const (
	// Mic is the learner's audio, client to server.
	Mic Kind = 1
	// Tutor is the tutor's audio, server to client.
	Tutor Kind = 2
)

// String returns "mic", "tutor" or the number.
func (k Kind) String() string {
	switch k {
	case Mic:
		return "mic"
	case Tutor:
		return "tutor"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// FrameError says what is wrong with a binary frame.
type FrameError struct {
	// Field is the part at fault: "header", "version", "kind" or "payload".
	Field string
	// Msg may be shown to the client.
	Msg string
}

// Error implements error.
func (e *FrameError) Error() string { return "wire: binary frame: " + e.Field + ": " + e.Msg }

// AppendHeader appends the header of f to dst and returns the extended slice.
// The payload is the caller's to append. It allocates only when dst is too small.
func AppendHeader(dst []byte, kind Kind, f *session.Frame) []byte {
	dst = append(dst, protocolNibble<<4|byte(kind), byte(f.Flags))
	dst = binary.BigEndian.AppendUint16(dst, f.Stream)
	dst = binary.BigEndian.AppendUint32(dst, f.Seq)
	return binary.BigEndian.AppendUint32(dst, f.Pos)
}

// ParseHeader reads the binary frame in data into f, whose Audio then aliases
// data. It allocates only to report an error, which is a *[FrameError]; f is
// then unchanged. Flag bits that have no meaning yet are passed on.
func ParseHeader(data []byte, kind Kind, f *session.Frame) error {
	if len(data) < HeaderBytes {
		return &FrameError{"header", fmt.Sprintf("%d bytes, the header alone has %d", len(data), HeaderBytes)}
	}
	if v := data[0] >> 4; v != protocolNibble {
		return &FrameError{"version", fmt.Sprintf("is %d, must be %d", v, protocolNibble)}
	}
	if k := Kind(data[0] & 0x0f); k != kind {
		return &FrameError{"kind", fmt.Sprintf("is %d, must be %d (%s)", uint8(k), uint8(kind), kind)}
	}
	flags := session.FrameFlags(data[1])
	if len(data) == HeaderBytes && flags&(session.FlagSilence|session.FlagEndOfStream) == 0 {
		return &FrameError{"payload", "is empty, and neither silence nor the stream's end is flagged"}
	}
	f.Flags = flags
	f.Stream = binary.BigEndian.Uint16(data[2:])
	f.Seq = binary.BigEndian.Uint32(data[4:])
	f.Pos = binary.BigEndian.Uint32(data[8:])
	f.Audio = data[HeaderBytes:]
	return nil
}
