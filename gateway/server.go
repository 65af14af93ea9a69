package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
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
	Reports       Reports
	Progress      Progress
	Sync          Sync
	Cards         Cards
	Reviews       Reviews
	Memories      Memories
	Levels        Levels
	// Packages makes packages of cards for Anki.
	Packages PackageWriter
	// Resumptions let clients come back to sessions whose sockets they lost; may be nil,
	// then sessions end with their sockets. See [Server.KeepSessions].
	Resumptions Resumptions
	// Mirror lets other nodes go on with the sessions of this one; may be nil.
	Mirror Mirror
	// Places bounds sessions over all nodes; may be nil for a single node. See
	// [Server.KeepSessions].
	Places Places
	// Outages has the Mirror and Places filled again as soon as they are back; may be nil,
	// then that happens within three seconds.
	Outages Outages
	// SignIns is asked every few seconds whether those who talk here are still signed in, as
	// the notice of another node may be lost; may be nil.
	SignIns SignIns
	// Audit keeps who showed a resume token without the right; may be nil.
	Audit Audit
	// Meter counts returns and take-overs, and shows which stores are away; may be nil.
	Meter Meter
	Once  Once
	// Secrets keeps tickets while Once does not answer, and sees to it that none of Once's is
	// used twice, whatever Once remembers; may be nil, then nobody can begin meanwhile.
	Secrets Secrets
	// Limiter bounds Rates; may be nil, then nothing is bounded.
	Limiter Limiter
	// Host runs the conversations of the voice endpoint, Turns those of whole turns.
	Host  Host
	Turns Turns
	// Help serves help on demand, Corrections what learners say of corrections.
	Help        Help
	Corrections Corrections
	// Speech serves the routes of recorded speech.
	Speech Speech
	// Scenarios are what conversations can play.
	Scenarios Scenarios
	// Pronunciation assesses recordings, Assessments reads back what it found, and Consents
	// keeps what learners agree to.
	Pronunciation Pronunciation
	Assessments   Assessments
	Consents      Consents
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
	// DrainWait is how long a node that stops goes on before it sends its clients away, so
	// that the balancer has noticed; at most a quarter of DrainGrace. DrainGrace is how long
	// it takes until all have left; 0 means 30 s. Both for nodes that have others.
	DrainWait, DrainGrace time.Duration
	// Pages holds the demo page, index.html at its root; may be nil, then / answers JSON only.
	// Its files are read once, by New.
	Pages fs.FS
	Log   *slog.Logger

	// Node is this node's name among those that share the database and live state; empty
	// means a random one.
	Node string
	// ResumeWindow is for how long a client can come back (0 means 10 minutes), and
	// WarmTime for how much of it the session waits in memory (0 means 30 seconds).
	ResumeWindow, WarmTime time.Duration
	// AbandonAfter is how long after the end of the window a conversation is given up whose
	// client did not come back, neither with a token nor with a ticket; 0 means 24 hours.
	AbandonAfter time.Duration
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
	// means 2) over all nodes, and of this node (0 means 2,000).
	MaxSessionsPerUser, MaxSessions int
	// MaxSessionsPerTenant caps those of a school that has not set it otherwise, over all
	// nodes; 0 means no cap.
	MaxSessionsPerTenant int
	// Overloaded tells that this node has no room for a further conversation, whatever
	// their number: it takes no new ones then and is not ready, and keeps what it has.
	// It must not block. Nil: never.
	Overloaded func() bool
}

// voiceEndpoint is the socket side of the gateway as its REST side sees it.
type voiceEndpoint interface {
	// register adds the socket routes. They get none of the body limits and timeouts
	// of the other routes, which break an upgrade.
	register(e *echo.Echo)
	// ActiveSessions counts the open conversations of one user on this node, without the
	// named one.
	ActiveSessions(userID, butConversation string) int
	// TotalSessions counts all open conversations on this node.
	TotalSessions() int
	// Full says whether this node has no room for a further conversation.
	Full() bool
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
	mirror   *mirrorWriter
	places   *placeKeeper
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

	// packages are being made.
	packages atomic.Int32

	draining   atomic.Bool
	neighbours *neighbours
	// started says that the database has answered once; see startupz.
	started atomic.Bool
}

// New checks the options and builds the routes. It starts nothing.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	s := &Server{opts: o, log: o.Log, echo: echo.New(), proxies: proxies{trusted: o.TrustedProxies},
		outboxPage: newOutboxPage(), letters: make(chan letter, waitingLetters)}
	s.neighbours = newNeighbours(o.Node, o.Nodes, s.Draining, o.Log)
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
	s.live.overloaded = o.Overloaded
	s.mirror = newMirrorWriter(o.Mirror, o.Node, s.live, s.log)
	s.places = newPlaceKeeper(o.Places, s.live, o.MaxSessionsPerTenant, s.log)
	s.live.keeper = s.places
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
		"Sync":          o.Sync == nil,
		"Conversations": o.Conversations == nil, "History": o.History == nil, "Progress": o.Progress == nil, "Reports": o.Reports == nil,
		"Once": o.Once == nil, "Host": o.Host == nil, "Turns": o.Turns == nil, "Help": o.Help == nil, "Corrections": o.Corrections == nil, "Speech": o.Speech == nil, "Database": o.Database == nil,
		"Cards": o.Cards == nil, "Reviews": o.Reviews == nil, "Scenarios": o.Scenarios == nil, "Memories": o.Memories == nil, "Levels": o.Levels == nil,
		"Packages":      o.Packages == nil,
		"Pronunciation": o.Pronunciation == nil, "Assessments": o.Assessments == nil, "Consents": o.Consents == nil,
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
	if o.Node == "" {
		o.Node = rand.Text()
	}
	o.ResumeWindow = cmp.Or(o.ResumeWindow, 10*time.Minute)
	o.WarmTime = cmp.Or(o.WarmTime, 30*time.Second)
	o.DrainGrace = cmp.Or(o.DrainGrace, 30*time.Second)
	o.AbandonAfter = cmp.Or(o.AbandonAfter, 24*time.Hour)
	if o.MaxSessionsPerUser <= 0 {
		o.MaxSessionsPerUser = 2
	}
	if o.Overloaded == nil {
		o.Overloaded = func() bool { return false }
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
	s.progressRoutes()
	s.scenarioRoutes()
	s.conversationRoutes()
	s.syncRoutes()
	s.summaryRoutes()
	s.turnRoutes()
	s.helpRoutes()
	s.correctionRoutes()
	s.cardRoutes()
	s.exportRoutes()
	s.importRoutes()
	s.reviewRoutes()
	s.memoryRoutes()
	s.levelRoutes()
	s.speechRoutes()
	s.pronunciationRoutes()
	s.consentRoutes()
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
