package azure

import (
	"encoding/binary"

	"kalami/providers"
	"kalami/providers/recording"
)

// rate is what the vendor wants, in samples a second.
const rate = 16000

// body is a recording as the vendor takes it.
func body(r providers.Recording) (audio []byte, mediaType string, err error) {
	if r.Format == providers.Ogg {
		return r.Audio, "audio/ogg; codecs=opus", nil
	}
	info, err := recording.Inspect(r.Audio)
	if err != nil {
		return nil, "", err
	}
	pcm, err := recording.Samples(r.Audio)
	if err != nil {
		return nil, "", err
	}
	return wav(resampled(pcm, info.SampleRate)), "audio/wav; codecs=audio/pcm; samplerate=16000", nil
}

// resampled brings samples to the vendor's rate: the mean of those that become one, or
// points on the line between two. What speech has above 8 kHz is mostly lost in the mean.
func resampled(pcm []int16, from int) []int16 {
	if from == rate || len(pcm) == 0 {
		return pcm
	}
	out := make([]int16, int64(len(pcm))*rate/int64(from))
	for i := range out {
		begin := int64(i) * int64(from)
		if from > rate {
			first := begin / rate
			last := min(max((begin+int64(from))/rate, first+1), int64(len(pcm)))
			sum := int64(0)
			for _, s := range pcm[first:last] {
				sum += int64(s)
			}
			out[i] = int16(sum / (last - first))
			continue
		}
		at, part := begin/rate, begin%rate
		a, b := int64(pcm[at]), int64(pcm[min(at+1, int64(len(pcm)-1))])
		out[i] = int16(a + (b-a)*part/rate)
	}
	return out
}

// wav is a file of 16-bit samples in one channel.
func wav(pcm []int16) []byte {
	const header = 44
	size := 2 * len(pcm)
	b := make([]byte, 0, header+size)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(header-8+size)) //nolint:gosec // half a minute
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, 2*rate)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(size)) //nolint:gosec // half a minute
	for _, s := range pcm {
		b = le.AppendUint16(b, uint16(s)) //nolint:gosec // the same bits
	}
	return b
}
