package failover

import (
	"bytes"
	"testing"
)

// FuzzRing compares a ring with a plain slice, whatever is added, read and let go of.
func FuzzRing(f *testing.F) {
	f.Add([]byte{200, 3, 90, 250, 255, 0, 17})
	f.Fuzz(func(t *testing.T, steps []byte) {
		r := ring{pool: newBlocks()}
		var all []byte
		for i, step := range steps {
			switch n := int(step) * 131; i % 3 {
			case 0:
				piece := bytes.Repeat([]byte{step}, n)
				r.write(piece)
				all = append(all, piece...)
			case 1:
				r.trim(r.start + int64(n))
			case 2:
				at := min(r.start+int64(n), r.end)
				got := make([]byte, 40_000)
				got = got[:r.read(got, at)]
				if want := all[at:min(at+40_000, r.end)]; !bytes.Equal(got, want) {
					t.Fatalf("step %d: %d bytes at %d, want %d", i, len(got), at, len(want))
				}
			}
			if r.end != int64(len(all)) || int64(len(r.blocks)) > r.size()/blockBytes+2 {
				t.Fatalf("step %d: %d blocks for %d bytes that end at %d of %d", i, len(r.blocks), r.size(), r.end, len(all))
			}
		}
		r.free()
	})
}

// Silence is let go of after a while, speech only when it is final.
func TestWhatIsKept(t *testing.T) {
	b := newBacklog(16000, DefaultKeep, newBlocks())
	b.attach(0, false)
	say := func(seconds int, loud byte) {
		frame := bytes.Repeat([]byte{0, loud, 0, -loud}, 160)
		for range 50 * seconds {
			b.put(frame)
			b.gave(len(frame))
		}
	}
	for _, step := range []struct {
		seconds int
		loud    byte
		settle  int // milliseconds
		leastMS int
		mostMS  int
	}{
		{seconds: 20, leastMS: 3000, mostMS: 3100},              // silence
		{seconds: 4, loud: 8, leastMS: 4300, mostMS: 7100},      // a voice
		{seconds: 5, leastMS: 9300, mostMS: 9600},               // nobody has understood it
		{settle: 24_000, leastMS: 5000, mostMS: 5300},           // now it is final, with 200 ms before
		{seconds: 1, leastMS: 3000, mostMS: 3100},               // and the silence goes
		{seconds: 30, loud: 8, leastMS: 14_900, mostMS: 15_000}, // no more than is allowed
	} {
		if step.settle > 0 {
			b.settle(step.settle, false)
		}
		say(step.seconds, step.loud)
		if kept := b.ms(b.ring.size()); kept < step.leastMS || kept > step.mostMS {
			t.Errorf("%+v: %d ms are kept", step, kept)
		}
	}
}
