package recording

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"kalami/providers"
)

// chunk is a RIFF chunk.
func chunk(name, body string) string {
	return sized(name, uint32(len(body)), body)
}

// sized is a RIFF chunk that claims a size.
func sized(name string, size uint32, body string) string {
	s := name + string(binary.LittleEndian.AppendUint32(nil, size)) + body
	return s + strings.Repeat("\x00", len(body)%2)
}

// riff is a WAV file of chunks.
func riff(chunks ...string) []byte {
	body := "WAVE" + strings.Join(chunks, "")
	return []byte(sized("RIFF", uint32(len(body)), body))
}

// format is a fmt chunk's body.
func format(code, channels uint16, rate uint32, bits uint16) string {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, code)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*uint32(channels*bits/8))
	b = le.AppendUint16(b, channels*bits/8)
	return string(le.AppendUint16(b, bits))
}

// extended is an extensible fmt chunk's body.
func extended(code, channels uint16, rate uint32, bits uint16) string {
	const rest = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
	le := binary.LittleEndian
	b := le.AppendUint16([]byte(format(0xfffe, channels, rate, bits)), 22)
	b = le.AppendUint16(b, bits)
	b = le.AppendUint32(b, 4)
	return string(le.AppendUint16(b, code)) + rest
}

func TestWAV(t *testing.T) {
	const size = 3200
	audio := strings.Repeat("ab", size/2)
	mono := chunk("fmt ", format(1, 1, 16000, 16))
	for _, tt := range []struct {
		name  string
		audio []byte
		want  time.Duration
	}{
		{"16 bits", riff(mono, chunk("data", audio)), 100 * ms},
		{"8 bits", riff(chunk("fmt ", format(1, 1, 8000, 8)), chunk("data", audio)), 400 * ms},
		{"32 bits, two channels", riff(chunk("fmt ", format(1, 2, 16000, 32)), chunk("data", audio)), 25 * ms},
		{"double float", riff(chunk("fmt ", format(3, 1, 16000, 64)), chunk("data", audio)), 25 * ms},
		{"a-law", riff(chunk("fmt ", format(6, 1, 8000, 8)), chunk("data", audio)), 400 * ms},
		{"µ-law", riff(chunk("fmt ", format(7, 1, 8000, 8)), chunk("data", audio)), 400 * ms},
		{"extended float", riff(chunk("fmt ", extended(3, 1, 16000, 32)), chunk("data", audio)), 50 * ms},
		{"odd chunks around", riff(chunk("LIST", "odd"), mono, chunk("fact", "1"), chunk("data", audio), chunk("LIST", "x")), 100 * ms},
		{"a streamed size of 0", append([]byte("RIFF\x00\x00\x00\x00WAVE"+mono), sized("data", 0, audio)...), 100 * ms},
		{"the largest size", append([]byte("RIFF\xff\xff\xff\xffWAVE"+mono), sized("data", 0xffffffff, audio)...), 100 * ms},
		{"half a sample at the end", riff(mono, sized("data", size+1, audio+"a")), 100 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) { lasts(t, tt.audio, tt.want) })
	}
}

func TestBrokenWAV(t *testing.T) {
	data := chunk("data", strings.Repeat("ab", 100))
	mono := chunk("fmt ", format(1, 1, 16000, 16))
	bad := []byte(extended(1, 1, 16000, 16))
	bad[30] ^= 1
	unlike := []byte(format(1, 2, 16000, 16))
	unlike[12] = 2
	for _, tt := range []struct {
		name   string
		audio  []byte
		reason string
	}{
		{"no chunks", riff(), "has no samples"},
		{"no format", riff(data), "has its samples before their format"},
		{"no data", riff(mono), "has no samples"},
		{"empty data", riff(mono, chunk("data", "")), "holds no audio"},
		{"less than a sample", riff(mono, chunk("data", "a")), "holds no audio"},
		{"cut off in a chunk", riff(mono, sized("LIST", 100, "x")), "ends before its samples"},
		{"short format", riff(chunk("fmt ", "short"), data), "ends inside its format"},
		{"ADPCM", riff(chunk("fmt ", format(2, 1, 16000, 4)), data), "holds compressed audio (code 2), not PCM"},
		{"MP3 in WAV", riff(chunk("fmt ", format(0x55, 1, 16000, 0)), data), "holds compressed audio (code 85), not PCM"},
		{"12 bits", riff(chunk("fmt ", format(1, 1, 16000, 12)), data), "claims samples of 12 bits"},
		{"no channels", riff(chunk("fmt ", format(1, 0, 16000, 16)), data), "contradicts itself"},
		{"wrong block", riff(chunk("fmt ", string(unlike)), data), "contradicts itself: 2 channels of 16 bits do not take 2 bytes"},
		{"no rate", riff(chunk("fmt ", format(1, 1, 0, 16)), data), "claims a sample rate of 0 Hz"},
		{"a rate of a gigahertz", riff(chunk("fmt ", format(1, 1, 1e9, 16)), data), "claims a sample rate of 1000000000 Hz"},
		{"unknown extended format", riff(chunk("fmt ", string(bad)), data), "has an extended format that is not known"},
		{"short extended format", riff(chunk("fmt ", format(0xfffe, 1, 16000, 16)), data), "has an extended format that is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) { broke(t, tt.audio, tt.reason) })
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(riff(chunk("fmt ", format(1, 1, 16000, 16)), chunk("data", "abcd")))
	f.Add(riff(chunk("LIST", "odd"), chunk("fmt ", extended(3, 2, 48000, 32)), chunk("data", "abcdabcd")))
	f.Fuzz(func(t *testing.T, audio []byte) {
		checkInspect(t, audio, inspectWAV)
		info, err := Inspect(audio)
		pcm, _ := Samples(audio)
		if err == nil && info.Format == providers.WAV && samples(uint64(len(pcm)), info.SampleRate) != info.Duration {
			t.Fatalf("%d samples of %+v", len(pcm), info)
		}
	})
}
