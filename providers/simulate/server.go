package simulate

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options configure a [Server]. The zero value is usable.
type Options struct {
	// Scripts by language code; nil means the built-in ones.
	Scripts map[string]Script
	// Latency of every answer; the zero value answers at once.
	Latency Latency
	// Key, when set, must be presented as every vendor wants it; else 401.
	Key string
	// Seed of all chance; 0 means 1.
	Seed uint64
	// Engine is the path of espeak-ng, which speaks what no shipped clip says;
	// empty looks for it, "none" does without.
	Engine string
	// Accents are how well words are pronounced, 0 to 100, by the word in small letters; all
	// others are pronounced with 95.
	Accents map[string]float64
	// Log receives one line per connection; nil discards.
	Log *slog.Logger
}

// Server is the simulators' one HTTP handler.
type Server struct {
	opt   Options
	mux   *http.ServeMux
	voice *speaker

	// ctx ends with Close; every long-lived handler watches it.
	ctx    context.Context
	cancel context.CancelFunc
	live   sync.WaitGroup // handlers of hijacked connections

	mu     sync.Mutex
	rng    *rand.Rand
	faults []Fault
	// cleared is closed, and made anew, when the faults are cleared.
	cleared chan struct{}
	// recorded counts the recorded files that were transcribed, by language.
	recorded map[string]int
	// assessed counts the requests for assessments, refused ones among them.
	assessed map[Vendor]int
}

// New returns a server; it starts nothing and listens nowhere.
func New(opt Options) *Server {
	if opt.Seed == 0 {
		opt.Seed = 1
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Scripts == nil {
		opt.Scripts = Scripts()
	}
	s := &Server{opt: opt, mux: http.NewServeMux(), rng: rand.New(rand.NewPCG(opt.Seed, opt.Seed))}
	s.voice = newSpeaker(opt.Engine, opt.Log)
	s.recorded, s.cleared = make(map[string]int), make(chan struct{})
	s.assessed = make(map[Vendor]int)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.routes()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends every open connection and waits for its handler.
func (s *Server) Close() {
	s.mu.Lock() // no handler is counted in any more
	s.cancel()
	s.mu.Unlock()
	s.live.Wait()
}

// routes registers every vendor's paths; each vendor's file has its own function.
func (s *Server) routes() {
	s.mux.HandleFunc("POST /_simulate/faults", s.handleFaults)
	s.mux.HandleFunc("DELETE /_simulate/faults", s.handleFaults)
	s.routesAnthropic()
	s.routesOpenAI()
	s.routesElevenLabs()
	s.routesDeepgram()
	s.routesAssessors()
}

// sleep waits for a sample of d, or until ctx or the server ends; false then.
func (s *Server) sleep(ctx context.Context, d Delay) bool {
	wait := s.sample(d)
	if wait <= 0 {
		return ctx.Err() == nil && s.ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.ctx.Done():
		return false
	}
}
