package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"kalami/gateway"
	"kalami/gateway/metrics"
	"kalami/gateway/token"
	"kalami/providers/speech"
	"kalami/session"
	"kalami/session/learn"
	"kalami/session/learn/lexicon"
	"kalami/session/learn/scenarios"
	"kalami/store"
	"kalami/store/apkg"
	"kalami/store/live"
	"kalami/web"
)

// app is the server, composed: the one place where interfaces meet what stands
// behind them. The end-to-end tests build the same one on a free port.
type app struct {
	cfg      *Config
	log      *slog.Logger
	db       *store.DB
	live     *live.Store
	parts    *parts
	speech   *speech.Service
	help     *session.Help
	gateway  *gateway.Server
	analyses *session.Analyses
	words    *lexicon.Lexicon
	listener net.Listener
	metrics  *metrics.Metrics
	scraped  net.Listener  // for Prometheus; nil when metrics are off
	history  *history      // nil unless one is asked for
	before   *processCount // what the process held before, if it is this node's alone
}

// openApp opens everything in the order in which it depends on each other, and
// listens. Nothing is served before run. What it returns must be closed.
func openApp(ctx context.Context, cfg *Config, log *slog.Logger) (*app, error) {
	return openAppVia(ctx, cfg, log, direct)
}

// openAppVia is openApp with vendors that are reached by via.
func openAppVia(ctx context.Context, cfg *Config, log *slog.Logger, via route) (_ *app, err error) {
	a := &app{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	keys, err := cfg.SigningKeys()
	if err != nil {
		return a, err
	}
	if a.words, err = openWords(cfg.Learning.WordsDir); err != nil {
		return a, fmt.Errorf("KALAMI_WORDS_DIR: %w", err)
	}
	if err = a.openHistory(); err != nil {
		return a, err
	}
	if a.db, err = store.Open(ctx, store.Options{URL: cfg.Storage.Database.Reveal(), Migrate: true, Log: log}); err != nil {
		return a, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if a.live, err = live.Open(ctx, live.Options{URL: cfg.Storage.Redis.URL.Reveal(), Prefix: cfg.Storage.RedisPrefix, Log: log}); err != nil {
		return a, fmt.Errorf("REDIS_URL: %w", err)
	}
	a.metrics = a.newMetrics()
	if a.parts, err = openParts(ctx, cfg, log, a.metrics, a.history.called(), via); err != nil {
		return a, err
	}
	if a.speech, err = a.parts.openSpeech(cfg, a.live, log); err != nil {
		return a, err
	}
	a.help = &session.Help{Analyst: a.parts.analyst, Synthesizer: a.speech.Synthesizer(), Store: a.db, Log: log}
	if a.parts.assessors, err = a.parts.openAssessors(cfg); err != nil {
		return a, err
	}
	addr := net.JoinHostPort(cfg.Server.Host, strconv.Itoa(cfg.Server.Port))
	if a.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err != nil {
		return a, fmt.Errorf("HOST, PORT: %w", err)
	}
	a.openMetrics(ctx)
	a.analyses = a.newAnalyses()
	if a.gateway, err = a.newGateway(keys, a.history.host(a.newHost())); err != nil {
		return a, err
	}
	return a, nil
}

// newHost composes what runs the conversations.
func (a *app) newHost() *session.Host {
	s := a.cfg.Sessions
	return &session.Host{
		Deps: session.Deps{Recognizer: a.parts.recognizer, Tutor: a.parts.tutor, Voice: a.parts.voice, Journal: a.history.journal(a.db), Log: a.log,
			Meter: a.metrics, Drafts: a.newDrafts(), Analyses: a.analyses, Help: a.help, Recalls: a.db, Words: a.words},
		Limits: session.Limits{MaxDurationMS: int(s.MaxDuration.Milliseconds()), IdleTimeoutMS: int(s.IdleTimeout.Milliseconds()),
			MaxAheadMS: int(s.MaxAhead.Milliseconds())},
		Grace:  a.cfg.Server.ShutdownGrace,
		Nudges: s.Nudges, TurnLimit: s.TurnLimit,
	}
}

// newTurns composes what answers turns that are sent whole.
func (a *app) newTurns() *session.Turnwise {
	return &session.Turnwise{
		Tutor: a.parts.tutor, Analyst: a.parts.analyst,
		Transcriber: a.speech.Transcriber(), Synthesizer: a.speech.Synthesizer(),
		Store: a.history.turns(a.db), Log: a.log, Plans: a.db, Pronunciation: a.newPronunciation(),
	}
}

// newGateway composes the edge from the parts that are open.
func (a *app) newGateway(keys []Secret, host gateway.Host) (*gateway.Server, error) {
	signing := token.Config{Key: []byte(keys[0].Reveal()), Lifetime: a.cfg.Accounts.AccessTTL()}
	if len(keys) > 1 {
		signing.Previous = []byte(keys[1].Reveal())
	}
	tokens, err := token.NewIssuer(signing)
	if err != nil {
		return nil, err
	}
	var redis gateway.Pinger
	var nodes gateway.Nodes
	if a.cfg.Storage.Redis.URL.Reveal() != "" {
		redis, nodes = a.live, a.live
	}
	var limiter gateway.Limiter
	if a.cfg.Accounts.RateLimits {
		limiter = rateLimiter{a.live}
	}
	shipped, err := scenarios.Shipped()
	if err != nil {
		return nil, err
	}
	options := gateway.Options{
		Users: a.db, RefreshTokens: a.db, MailTokens: a.db, RefreshLifetime: a.cfg.Accounts.RefreshTTL(),
		Profiles: a.db, Tenants: a.db, Conversations: a.db, History: a.db, Progress: a.db, Reports: a.db,
		Sync:  a.db,
		Cards: a.db, Reviews: a.db, Memories: a.db, Levels: a.db, Scenarios: shipped,
		Packages:    apkg.Write,
		Resumptions: a.db, Mirror: a.live, Outages: a.live, SignIns: a.db, Audit: a.db, Meter: a.metrics, Node: a.cfg.Server.Node,
		ResumeWindow: a.cfg.Sessions.ResumeWindow, WarmTime: a.cfg.Sessions.WarmTime, AbandonAfter: a.cfg.Sessions.AbandonAfter,
		DrainWait: a.cfg.Server.DrainWait, DrainGrace: max(a.cfg.Server.ShutdownGrace, time.Millisecond),
		Once: a.live, Secrets: a.db, Limiter: limiter, Database: a.db, Redis: redis, Nodes: nodes,
		Host:  host,
		Turns: a.newTurns(),
		Help:  a.help, Corrections: a.db,
		Speech: a.speech, Pronunciation: a.newPronunciation(), Assessments: a.db, Consents: a.db,
		Tokens: tokens, Passwords: token.NewHasher(token.DefaultParams()), Pages: web.FS(), Log: a.log,
		Name: a.cfg.Server.Name, Version: version(), Parts: a.parts.names,
		DemoLanguages: a.parts.languages(), Demo: a.parts.demo, NoGuests: !a.cfg.Accounts.Guests,
		AllowedOrigins: a.cfg.Server.AllowedOrigins, TrustedProxies: a.cfg.Server.TrustedProxies,
		Rates: a.cfg.Accounts.Rates.rates(), BodyMemory: int64(a.cfg.Server.BodyMemory) << 20,
		MaxSessionsPerUser: a.cfg.Sessions.PerUser, MaxSessions: a.cfg.Sessions.Max,
		MaxSessionsPerTenant: a.cfg.Sessions.PerTenant, Places: a.live, Overloaded: budgetMemory(a.cfg.Sessions.Memory << 20).over,
	}
	if err := a.addMail(&options); err != nil {
		return nil, err
	}
	return gateway.New(options)
}

// rateLimiter is the live state as the gateway's limiter. While Redis is away each node
// counts for itself.
type rateLimiter struct{ live *live.Store }

// Allow implements [gateway.Limiter].
func (l rateLimiter) Allow(ctx context.Context, key string, r gateway.Rate) (gateway.Verdict, error) {
	v, err := l.live.Allow(ctx, key, live.Rate(r))
	if learn.KindOf(err) == learn.Unavailable && err != nil {
		v, err = l.live.AllowHere(key, live.Rate(r))
	}
	return gateway.Verdict(v), err
}

// url is where the server can be reached from this machine.
func (a *app) url() string {
	addr := a.listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// stopSlack is how much longer than the sessions' grace a stopping server waits for
// them and for its last requests, before it cuts them off.
const stopSlack = 3 * time.Second

// run serves until ctx ends, then lets every tutor finish its sentence within the
// grace, closes every session and waits for it.
func (a *app) run(ctx context.Context) error {
	defer a.startBackground()() // until the last request is answered
	defer a.serveMetrics()()
	served := make(chan error, 1)
	go func() { served <- a.gateway.Serve(a.listener) }() // joined below
	a.log.Info("serving", "url", a.url(), "stt", a.parts.names.STT, "llm", a.parts.names.LLM, "tts", a.parts.names.TTS)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	a.gateway.Drain() // before anything that takes time: who asks whether the node is ready is to know at once
	a.log.Info("stopping", "grace", a.cfg.Server.ShutdownGrace)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Server.ShutdownGrace+stopSlack)
	defer cancel()
	drained := a.gateway.DrainSessions(stop) // requests are still answered meanwhile
	return errors.Join(drained, a.gateway.Shutdown(stop), <-served)
}

// Close closes what openApp opened, last first. run has returned by then.
func (a *app) Close() error {
	var errs []error
	for _, l := range []net.Listener{a.listener, a.scraped} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.speech != nil {
		errs = append(errs, a.speech.Close())
	}
	if a.parts != nil {
		errs = append(errs, a.parts.Close())
	}
	if a.live != nil {
		errs = append(errs, a.live.Close())
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	a.countQuiet()
	errs = append(errs, a.history.Close())
	return errors.Join(errs...)
}
