package learner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Recording is 16-bit mono PCM with its rate in hertz.
type Recording struct {
	PCM  []byte
	Rate int
}

// ReadWAV reads a WAV file of 16-bit mono PCM. The error says what else it holds.
func ReadWAV(r io.Reader) (Recording, error) {
	const most = 512 << 20
	data, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return Recording{}, err
	}
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return Recording{}, errors.New("learner: not a WAV file")
	}
	var rec Recording
	for rest := data[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		size = min(size, int64(len(body))) // a recorder that was cut off leaves a wrong size
		body = body[:size]
		switch name {
		case "fmt ":
			if rec.Rate, err = checkFormat(body); err != nil {
				return Recording{}, err
			}
		case "data":
			if rec.Rate == 0 {
				return Recording{}, errors.New("learner: the WAV file has its data before its format")
			}
			rec.PCM = body[:len(body)&^1]
			return rec, nil
		}
		rest = rest[min(int64(len(rest)), 8+size+size%2):]
	}
	return Recording{}, errors.New("learner: the WAV file has no data")
}

// checkFormat reads a format chunk.
func checkFormat(body []byte) (rate int, err error) {
	if len(body) < 16 {
		return 0, errors.New("learner: the WAV file's format is cut short")
	}
	kind, channels := binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:])
	bits := binary.LittleEndian.Uint16(body[14:])
	const pcm, extensible = 1, 0xfffe
	if kind != pcm && kind != extensible || channels != 1 || bits != 16 {
		return 0, fmt.Errorf("learner: the WAV file has format %d with %d channels of %d bits; 16-bit mono PCM is wanted", kind, channels, bits)
	}
	return int(binary.LittleEndian.Uint32(body[4:])), nil
}

// WAV encodes a recording as a WAV file.
func (r Recording) WAV() []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	header := make([]byte, 44)
	copy(header, "RIFF")
	le.PutUint32(header[4:], uint32(36+len(r.PCM)))
	copy(header[8:], "WAVEfmt ")
	le.PutUint32(header[16:], 16)
	le.PutUint16(header[20:], 1)
	le.PutUint16(header[22:], 1)
	le.PutUint32(header[24:], uint32(r.Rate))
	le.PutUint32(header[28:], uint32(r.Rate*2))
	le.PutUint16(header[32:], 2)
	le.PutUint16(header[34:], 16)
	copy(header[36:], "data")
	le.PutUint32(header[40:], uint32(len(r.PCM)))
	b.Write(header)
	b.Write(r.PCM)
	return b.Bytes()
}
