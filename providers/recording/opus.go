package recording

// opusRate is what Opus counts samples in, whatever was recorded.
const opusRate = 48000

// opusSamples is how long a packet of Opus lasts, by its first byte and, for an
// arbitrary number of frames, its second (RFC 6716, 3.1). 0 for what is no packet.
func opusSamples(packet []byte) uint64 {
	if len(packet) == 0 {
		return 0
	}
	frame := uint64(0)
	switch config := packet[0] >> 3; {
	case config < 12: // SILK
		frame = []uint64{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid
		frame = []uint64{480, 960}[config&1]
	default: // CELT
		frame = []uint64{120, 240, 480, 960}[config&3]
	}
	frames := uint64(1)
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = uint64(packet[1] & 63)
	}
	const most = opusRate * 120 / 1000 // a packet may not last longer
	if frame*frames > most {
		return 0
	}
	return frame * frames
}
