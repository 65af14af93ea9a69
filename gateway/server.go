package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
)

// The limits of the HTTP server. None of them holds for a voice socket once it is
// upgraded: net/http clears its deadlines when it hands the connection over.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 16 << 10
	// handlerTimeout ends the context of a request other than a voice socket's.
	handlerTimeout = 15 * time.Second
	// maxBody is the most that a JSON or form request may carry.
	maxBody = 1 << 20
	// maxOpenBody is the same for who has not signed in. What they send takes its share of
	// all requests' memory: with little each, it takes a thousand connections to fill that.
	maxOpenBody = 128 << 10
)

// Options are what a [Server] is made of. Fields without "may be" are required.
type Options struct {
	Users         Users
	RefreshTokens RefreshTokens
	MailTokens    MailTokens
	Profiles      Profiles
	Tenants       Tenants
	Conversations Conversations
	History       History
	Once          Once
	// Limiter bounds Rates; may be nil, then nothing is bounded.
	Limiter Limiter
	// Host runs the conversations of the voice endpoint, Turns those of whole turns.
	Host  Host
	Turns Turns
	// Speech serves the routes of recorded speech.
	Speech Speech
	// Database and Redis are asked by /health and /readyz. Redis may be nil when
	// it runs in process; then /health leaves it out.
	Database Pinger
	Redis    Pinger
	Tokens   *token.Issuer
	// Passwords hashes and verifies; a [*token.Hasher] outside tests.
	Passwords Passwords
	// RefreshLifetime is how long a refresh token is good unless it is used; 0 means 30 days.
	RefreshLifetime time.Duration
	// Mailer sends mails; may be nil, then what needs them says that mail is not set up.
	// See [Server.DeliverMail].
	Mailer Mailer
	// Outbox is shown to callers on the same machine; may be nil.
	Outbox Outbox
	// PublicURL is where the links in mails lead, without a slash at its end. It is
	// required with a Mailer, since what a request says about our name may be a lie.
	PublicURL string
	// VerifyEmail says what is made of addresses that nobody has verified; empty means off.
	VerifyEmail EmailVerification
	// Nodes tells the other nodes of sessions that were ended; may be nil for a single node.
	Nodes Nodes
	// Pages holds the demo page, index.html at its root; may be nil, then / answers JSON only.
	// Its files are read once, by New.
	Pages fs.FS
	Log   *slog.Logger

	// Name and Version are what / tells; empty Name means "Kalami".
	Name, Version string
	// Parts names the provider that serves each part of the tutor; "demo" for a simulated one.
	Parts session.Parts
	// DemoLanguages are the languages that the demo tutor speaks; may be nil.
	DemoLanguages []string
	// Demo returns what a session in this language must say about its simulated
	// parts, nil when there are none; may be nil.
	Demo func(language string) *session.DemoInfo
	// NoGuests switches POST /auth/guest off.
	NoGuests bool
	// AllowedOrigins are other sites whose pages may use this server, each exactly
	// as a browser sends it ("https://app.example"). The server's own is always allowed.
	AllowedOrigins []string
	// TrustedProxies may tell the client's address and scheme (X-Forwarded-For,
	// X-Forwarded-Proto); nobody else is believed.
	TrustedProxies []netip.Prefix
	// Rates bound sign-ups, sign-ins, new sockets and calls; zero fields mean their defaults.
	Rates Rates
	// BodyMemory is how many bytes the bodies of all requests under way may have
	// together; 0 means 128 MiB. Who comes beyond is asked to try again.
	BodyMemory int64
	// AccountRates bound what else is done with credentials; zero fields mean their defaults.
	AccountRates AccountRates
	// MaxSessionsPerUser and MaxSessions cap the open conversations of one user (0
	// means 2) and of this node (0 means 2,000).
	MaxSessionsPerUser, MaxSessions int
}

// voiceEndpoint is the socket side of the gateway as its REST side sees it.
type voiceEndpoint interface {
	// register adds the socket routes. They get none of the body limits and timeouts
	// of the other routes, which break an upgrade.
	register(e *echo.Echo)
	// ActiveSessions counts the open conversations of one user on this node.
	ActiveSessions(userID string) int
	// TotalSessions counts all open conversations on this node.
	TotalSessions() int
	// endUser ends the open conversations of a user whose sessions have been ended. It
	// does not wait for them.
	endUser(userID string)
	// drain does what [Server.DrainSessions] promises.
	drain(ctx context.Context) error
}

// Server is the HTTP edge: an [http.Handler] and the server that carries it. Use New.
type Server struct {
	// Static after New.
	opts Options
	log  *slog.Logger
	echo *echo.Echo
	http *http.Server
	// live are the sockets of this node, of voice and original alike.
	live     *registry
	voice    voiceEndpoint
	original *originalSockets
	proxies  proxies
	// outboxPage is the page of /debug/outbox.
	outboxPage *template.Template
	// operations are the routes of the API, in the order of their registration.
	operations []operation
	// openAPI and openAPI30 describe them, asyncAPI the sockets.
	openAPI, openAPI30, asyncAPI document

	// Each looks after itself.
	bodies   bodies
	speaking inFlight
	gzips    gzipWriters
	// letters are waiting for DeliverMail; a full queue refuses the next.
	letters chan letter

	draining atomic.Bool
}

// New checks the options and builds the routes. It starts nothing.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	s := &Server{opts: o, log: o.Log, echo: echo.New(), proxies: proxies{trusted: o.TrustedProxies},
		outboxPage: newOutboxPage(), letters: make(chan letter, waitingLetters)}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.IPExtractor = s.proxies.clientIP()
	s.echo.HTTPErrorHandler = s.renderError
	s.echo.Use(s.withRequestID, s.logged, s.recovered, s.withSecurityHeaders)
	if len(o.AllowedOrigins) > 0 {
		s.echo.Use(crossOrigin(o.AllowedOrigins))
	}
	pages, err := loadPages(o.Pages)
	if err != nil {
		return nil, fmt.Errorf("gateway: read the page's files: %w", err)
	}
	s.bodies.most = o.BodyMemory
	s.live = newRegistry(o.MaxSessions, o.MaxSessionsPerUser)
	s.voice = newVoice(s)
	s.routes(pages)
	if err := s.registerDocumentation(); err != nil {
		return nil, err
	}
	if err := s.describe(); err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// withDefaults refuses options without which some route could not answer.
func (o Options) withDefaults() (Options, error) {
	for name, missing := range map[string]bool{
		"Users": o.Users == nil, "RefreshTokens": o.RefreshTokens == nil, "MailTokens": o.MailTokens == nil, "Profiles": o.Profiles == nil, "Tenants": o.Tenants == nil,
		"Conversations": o.Conversations == nil, "History": o.History == nil,
		"Once": o.Once == nil, "Host": o.Host == nil, "Turns": o.Turns == nil, "Speech": o.Speech == nil, "Database": o.Database == nil,
		"PublicURL": o.PublicURL == "" && o.Mailer != nil,
		"Tokens":    o.Tokens == nil, "Passwords": o.Passwords == nil, "Log": o.Log == nil,
	} {
		if missing {
			return o, fmt.Errorf("option %s is missing", name)
		}
	}
	for _, origin := range o.AllowedOrigins {
		if err := checkOrigin(origin); err != nil {
			return o, err
		}
	}
	if o.Name == "" {
		o.Name = "Kalami"
	}
	o.BodyMemory = cmp.Or(o.BodyMemory, defaultBodyMemory)
	o.Rates, o.AccountRates = o.Rates.withDefaults(), o.AccountRates.withDefaults()
	o.VerifyEmail = cmp.Or(o.VerifyEmail, VerifyOff)
	if o.RefreshLifetime <= 0 {
		o.RefreshLifetime = 30 * 24 * time.Hour
	}
	if o.MaxSessionsPerUser <= 0 {
		o.MaxSessionsPerUser = 2
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 2000
	}
	return o, nil
}

// routes registers every resource; each has its file, where its operations stand.
func (s *Server) routes(pages pages) {
	s.accountRoutes()
	s.signInRoutes()
	s.passwordRoutes()
	s.verificationRoutes()
	s.outboxRoutes()
	s.profileRoutes()
	s.statisticsRoutes()
	s.conversationRoutes()
	s.turnRoutes()
	s.speechRoutes()
	s.ticketRoutes()
	s.houseRoutes()
	s.descriptionRoutes()
	s.rootRoutes(pages)
	for name := range pages {
		s.handlePage(name, pages[name])
	}
	s.voice.register(s.echo)
	s.registerOriginal()
}

// ServeHTTP implements [http.Handler], for tests and for servers of one's own.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers connections of l until Shutdown, then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("gateway: serve: %w", err)
	}
	return nil
}

// Drain makes this node refuse new conversations, with 503 and Retry-After, and say
// so at /readyz. What is open goes on. It does not block and may be called again.
func (s *Server) Drain() { s.draining.Store(true) }

// Sessions counts the open conversations of this node.
func (s *Server) Sessions() int { return s.voice.TotalSessions() }

// Draining says whether Drain was called.
func (s *Server) Draining() bool { return s.draining.Load() }

// Shutdown stops listening and waits until the requests under way are answered, or
// until ctx ends. Upgraded sockets are not requests any more: it neither closes them
// nor waits for them; DrainSessions does both.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("gateway: shut down: %w", err), s.http.Close())
	}
	return nil
}
