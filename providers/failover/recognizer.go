package failover

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"kalami/providers"
)

// Defaults of [RecognizerOptions].
const (
	DefaultKeep        = 15 * time.Second
	DefaultNotice      = 2 * time.Second
	DefaultOpenTimeout = 2 * time.Second
	DefaultReplay      = 4
)

// slowOpen is the default of [Options.Slow] for recognisers: how long accepting a stream
// may take without counting against its vendor.
const slowOpen = time.Second

// RecognizerOptions configure a [Recognizer]. The zero value is usable.
type RecognizerOptions struct {
	// Options are those of every part. A call is a stream, however long it lives.
	Options
	// Keep is how much audio each stream keeps at most, and how long it goes on without
	// a vendor before it ends; 0 means [DefaultKeep].
	Keep time.Duration
	// Notice is how long nobody may listen before the speaker is told; 0 means [DefaultNotice].
	Notice time.Duration
	// OpenTimeout is how long one vendor may take to accept a stream; 0 means
	// [DefaultOpenTimeout].
	OpenTimeout time.Duration
}

// An Ear is a recogniser and what has to be known of it to take over another's stream.
type Ear struct {
	providers.Recognizer
	// Replay is how many times faster than it was spoken audio is said again; 0 means
	// [DefaultReplay], negative as fast as the vendor takes it.
	Replay float64
	// Untimed: it gives words no times, so nothing is said to it twice.
	Untimed bool
	// Hears says whether it knows a BCP-47 language; nil for one that knows all.
	Hears func(language string) bool
}

// Recognizer makes one recogniser of several, whose streams outlive the vendors'.
// Safe for concurrent use.
//
// Each stream keeps the audio that is not final yet, in memory that it gives back word
// by word. When its vendor is lost (a cut, an error, a broken message, silence of which
// whoever listens complains by [providers.Survivor.Renew]) the next one is given that
// audio from shortly before the end of the last final word, faster than it was spoken,
// and goes on live. Its times are moved to where they belong, words that were final are
// dropped from what it says, and its segments continue the numbers: whoever listens sees
// one stream, on which a hypothesis of the lost vendor is replaced by the next one's.
// A stream that had to be moved returns to the preferred vendor between two segments,
// once that has recovered. Moves need nothing of the budget: a stream is moved when it
// would end otherwise, and asks in growing intervals.
type Recognizer struct {
	opt    RecognizerOptions
	ears   []Ear
	rota   *rota
	blocks *sync.Pool
}

var _ providers.Recognizer = (*Recognizer)(nil)

// NewRecognizer returns a recogniser over one or more, the preferred first. Close it;
// closing the recognisers is up to who made them.
func NewRecognizer(opt RecognizerOptions, preferred Ear, others ...Ear) *Recognizer {
	opt.Options = opt.completed(slowOpen)
	opt.Keep = cmp.Or(opt.Keep, DefaultKeep)
	opt.Notice = cmp.Or(opt.Notice, DefaultNotice)
	opt.OpenTimeout = cmp.Or(opt.OpenTimeout, DefaultOpenTimeout)
	r := &Recognizer{opt: opt, blocks: newBlocks()}
	var names []string
	for _, e := range append([]Ear{preferred}, others...) {
		e.Replay = cmp.Or(e.Replay, DefaultReplay)
		r.ears, names = append(r.ears, e), append(names, e.Name())
	}
	r.rota = newRota(opt.Options, Recognition, r.probe, names...)
	return r
}

// Close ends the probes and waits for them. Streams are ended by whoever opened them.
func (r *Recognizer) Close() { r.rota.close() }

// Name implements [providers.Recognizer]: that of the preferred one. Who really listens
// is in the log, and in the errors.
func (r *Recognizer) Name() string { return r.ears[0].Name() }

// Listen implements [providers.Recognizer]; the stream is a [providers.Survivor]. It
// asks one vendor after the other; when nobody can listen the error is that of the last
// one asked, and the others' are in the log. Audio must be [providers.PCM16].
func (r *Recognizer) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	if opt.Encoding != "" && opt.Encoding != providers.PCM16 || opt.SampleRate < 8000 {
		return nil, &providers.Error{Kind: providers.Invalid, Vendor: r.Name(), Op: "listen",
			Detail: fmt.Sprintf("%s at %d Hz cannot be kept", cmp.Or(opt.Encoding, providers.PCM16), opt.SampleRate)}
	}
	r.rota.budget.earn()
	order := r.order(opt.Language)
	if len(order) == 0 {
		return nil, &providers.Error{Kind: providers.Invalid, Vendor: r.Name(), Op: "listen",
			Detail: fmt.Sprintf("nobody hears the language %q", opt.Language)}
	}
	var err error
	for n, i := range order {
		var h hearer
		if h, err = r.open(ctx, i, opt, reasonOf(n > 0)); err == nil {
			return newStream(context.WithoutCancel(ctx), r, opt, h), nil
		}
		if ctx.Err() != nil || providers.KindOf(err) == 0 {
			return nil, providers.Cause(ctx, err)
		}
		if n < len(order)-1 {
			r.opt.Observer.FailedOver(Recognition, BeforeFirst)
			r.rota.log(ctx, i, order[n+1], err)
		}
	}
	return nil, err
}

// order is that of the vendors to ask which know a language.
func (r *Recognizer) order(language string) []int { return r.knowing(language, r.rota.order()) }

// knowing leaves the vendors that know a language.
func (r *Recognizer) knowing(language string, order []int) []int {
	return slices.DeleteFunc(order, func(i int) bool { return !r.hears(i, language) })
}

// hears says whether the ear at i knows a language.
func (r *Recognizer) hears(i int, language string) bool {
	return r.ears[i].Hears == nil || r.ears[i].Hears(language)
}

// hearer is a vendor's stream.
type hearer struct {
	providers.RecognitionStream
	at   int // whose it is, among the recogniser's ears
	ear  Ear
	call *call
}

// open opens a stream of the ear at i, in bounded time.
func (r *Recognizer) open(ctx context.Context, i int, opt providers.ListenOptions, why Why) (hearer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.opt.OpenTimeout, &providers.Error{Kind: providers.Unavailable,
		Vendor: r.ears[i].Name(), Op: "listen", Detail: "no stream within " + r.opt.OpenTimeout.String()})
	defer cancel()
	c, err := r.rota.begin(ctx, i, why)
	if err != nil {
		return hearer{}, err
	}
	s, err := r.ears[i].Listen(ctx, opt)
	if err != nil {
		err = providers.Cause(ctx, err)
		c.settle(err)
		return hearer{}, err
	}
	c.first()
	return hearer{RecognitionStream: s, at: i, ear: r.ears[i], call: c}, nil
}

// probe has an ear listen to a hum of our own, to its end.
func (r *Recognizer) probe(ctx context.Context, i int) error {
	s, err := r.ears[i].Listen(ctx, providers.ListenOptions{Language: "en", SampleRate: probeRate})
	if err != nil {
		return err
	}
	defer s.Close()
	var heard sync.WaitGroup
	heard.Go(func() {
		for range s.Events() { // what it makes of a hum does not matter
		}
	})
	if err = s.Send(ctx, hum()); err == nil {
		err = s.Drain(ctx)
	}
	_ = s.Close() // ends the events
	heard.Wait()
	if err == nil {
		err = s.Err()
	}
	return err
}

// probeRate is the sample rate of the hum in hertz.
const probeRate = 16000

// hum is a second that sounds like a voice to a detector of voices, and ends in silence,
// so that recognisers that cut by voice have something to recognise.
func hum() []byte {
	const voiced = probeRate * 6 / 10
	pcm := make([]byte, 0, 2*probeRate)
	for i := range probeRate {
		v := 0.0
		if i < voiced {
			t := float64(i) / probeRate
			v = 6000 * math.Sin(2*math.Pi*140*t) * (0.6 + 0.4*math.Sin(2*math.Pi*4*t))
		}
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}
