package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/google/uuid"

	"kalami/providers"
	"kalami/session/drafts"
	"kalami/session/learn"
)

// Deps are what every session of a node shares; static after the composition root made them.
type Deps struct {
	Recognizer providers.Recognizer
	Tutor      providers.Tutor
	Voice      providers.Voice
	Journal    Journal
	Log        *slog.Logger
	// Meter may be nil.
	Meter Meter
	// Help answers learners who ask for it; nil for hints from a list alone.
	Help *Help
	// Drafts lets answers be begun before a turn has ended; nil for never.
	Drafts *drafts.Governor
	// Analyses finds out what turns show; nil for nobody. Whoever made it runs it.
	Analyses *Analyses
	// Recalls serves reviews by voice; nil for none: such conversations are talks then.
	Recalls Recalls
	// Words says how hard words are; nil where nothing is known.
	Words WordLevels
}

// Params are what one session starts from; the gateway fills them from the ticket.
type Params struct {
	// Config is the effective configuration; the session fills in what depends on
	// level and defaults (patience, speed, formats) when it is zero. A nil
	// TurnDetection means push-to-talk.
	Config Config
	// Conversation has its epoch already taken by this node.
	Conversation learn.Conversation
	Profile      learn.Profile
	User         learn.User
	// Tenant holds what the learner's school has set.
	Tenant learn.TenantSettings
	// History holds the conversation's latest messages, oldest first.
	History []learn.Message
	// Resume is offered in session.created.
	Resume Resume
	// Returning says that the client has come back to a session that was under way, and
	// has been told so: it is not greeted. History was read after the epoch was raised, so
	// that whoever had the session before can add nothing to it.
	Returning bool
	// Handover is the session as another node left it, or this one. It is nil for a new
	// one, and where nothing is known of it but what is stored; see [Handover.Reconciled].
	Handover *Handover
	// Playback is what the client that returned had played; nil for nothing.
	Playback *PlaybackState
	// Survives says that what the session's [Line] keeps of it is there still when this node
	// is gone. Then a restart leaves the reply that is under way to whoever goes on; else
	// it is stored as far as it was heard, since nobody would know of it.
	Survives bool
	// Moves, if not nil, brings the wish of a node that stops: that the client of this
	// session, which is on a [Line], goes to another node. At most one is read.
	Moves <-chan Move
	// Edits, if not nil, brings edits of the conversation's messages that are stored and were
	// made elsewhere.
	Edits <-chan learn.TranscriptEdit
	// Cards, if not nil, brings cards that the learner got elsewhere, of which the client is told.
	Cards <-chan learn.Card
	// ValidUntil is when the access token behind this session ends; zero means
	// that a ticket opened it, which is checked once.
	ValidUntil time.Time
}

// school is the tenant whose share of the vendors the session takes; empty for a learner
// without a school, who shares with nobody.
func (p Params) school() string { return schoolOf(p.Conversation.TenantID) }

func schoolOf(tenantID string) string {
	if tenantID == learn.PersonalTenant {
		return ""
	}
	return tenantID
}

// Host runs sessions. Its zero value is not usable; fill Deps.
type Host struct {
	Deps
	// Limits of every session; zero fields mean those of [DefaultLimits].
	Limits Limits
	// Grace is how long a session may finish its sentence when the node restarts; 0 means 10 s.
	Grace time.Duration
	// Nudges turns the unstick ladder on: what the tutor does for a learner who is silent.
	Nudges bool
	// TurnLimit is how long a learner may talk before the tutor comes in; 0 means 60 s.
	TurnLimit time.Duration
}

// DefaultLimits are those of a session whose host says nothing: 64 KiB of text and 32 kB of
// audio a message, 30 minutes, 3 of them in silence, and 1.5 s of audio sent ahead.
var DefaultLimits = Limits{
	MaxTextBytes: 64 << 10, MaxAudioBytes: 32000,
	MaxDurationMS: 30 * 60_000, IdleTimeoutMS: 3 * 60_000, MaxAheadMS: 1500,
}

// Run holds one conversation over conn: it blocks until the conversation's
// connection is over, closes conn, waits for every goroutine it started, and
// says how it ended. Ending ctx with an *End as its cause ends the session for
// that reason; [EndRestart] lets the sentence being spoken finish first, for no
// longer than Grace. Any other cause ends it as [EndGoingAway].
func (h *Host) Run(ctx context.Context, conn Conn, p Params) *End {
	p = p.resumed()
	s := h.assemble(p)
	s.line, _ = conn.(Line)
	log := h.Log.With("session", p.Config.ID, "conversation", p.Conversation.ID, "user", p.User.ID)
	log.Info("session started", "language", p.Config.Language, "level", p.Config.Level)
	// The stages' context does not follow ctx: CONDUCTOR decides how to obey it.
	all, fail := context.WithCancelCause(providers.WithTenant(context.WithoutCancel(ctx), p.school()))
	defer fail(nil)
	group, gctx := errgroup.WithContext(all)
	stages := []func(context.Context) error{
		s.uplink(conn).run,
		s.listen(h.Recognizer, log).run,
		func(gctx context.Context) error { return s.conductor(h, p, log).run(gctx, ctx) },
		(&think{tutor: h.Tutor, lanes: s.lanes}).run,
		s.speak(h.Voice, log).run,
		s.downlink(conn, fail).run,
		(&journal{store: h.Journal, epoch: p.Conversation.Epoch, next: max(1, p.Conversation.NextSeq), lanes: s.lanes, log: log}).run,
		h.planning(p, s.lanes),
		h.recalling(p, s.lanes),
	}
	for _, stage := range stages {
		group.Go(func() error { return guard(gctx, stage) })
	}
	_ = group.Wait() // the first error is the context's cause
	end := asEnd(context.Cause(gctx))
	h.close(ctx, s, p, end, log)
	h.keepHabits(ctx, s.habits, p, log)
	log.Info("session ended", "reason", string(end.Reason), "duration_ms", time.Since(s.started).Milliseconds(),
		"turns", s.totals.Turns, "barge_ins", s.totals.BargeIns, "drafts", s.drafts, "err", end.Err)
	return end
}

// guard runs a stage; a panic in it ends this session, never the process.
func guard(ctx context.Context, stage func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &End{Reason: EndInternal, Code: InternalError, Err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())}
		}
	}()
	return stage(ctx)
}

// close closes the conversation for good when the learner is done with it. A
// connection that was lost, or a node that goes away, leaves it open to be continued.
func (h *Host) close(ctx context.Context, s *assembly, p Params, end *End, log *slog.Logger) {
	conversation := p.Conversation
	conversation.Totals = s.totals
	if !end.Reason.closes() {
		return
	}
	conversation.Status, conversation.EndReason = "ended", string(end.Reason)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := h.Journal.EndConversation(ctx, p.Conversation.Epoch, conversation); err != nil && !errors.Is(err, learn.ErrFenced) {
		log.Error("conversation not closed", "err", err)
	}
}

// keepHabits stores what was observed of the learner's turns, however the session ended.
// A failure is no reason for anything: the next conversation observes them again.
func (h *Host) keepHabits(ctx context.Context, habits learn.TurnHabits, p Params, log *slog.Logger) {
	if habits == p.Profile.Habits {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := h.Journal.KeepHabits(ctx, p.Conversation.TenantID, p.Conversation.UserID, p.Conversation.ProfileID, habits); err != nil {
		log.Warn("turn habits not kept", "err", err)
	}
}

// assembly is one session's parts, before and after they run.
type assembly struct {
	lanes    *lanes
	clock    *clock
	link     *link
	settings *settings
	limits   Limits
	started  time.Time
	config   Config
	line     Line             // that the client is on, or nil
	totals   learn.Totals     // valid when the stages have ended
	habits   learn.TurnHabits // likewise
	drafts   DraftSummary     // likewise
}

// assemble makes the parts that the stages share.
func (h *Host) assemble(p Params) *assembly {
	now := time.Now()
	s := &assembly{lanes: newLanes(), clock: &clock{}, link: &link{}, settings: &settings{},
		limits: h.limits(), started: p.startedAt(now), config: p.Config.Completed(p.Profile)}
	s.settings.follow(s.config)
	s.link.lastInput.Store(now.UnixNano())
	return s
}

// limits are the host's, with the defaults where it says nothing.
func (h *Host) limits() Limits {
	l, d := h.Limits, DefaultLimits
	return Limits{
		MaxTextBytes: cmpOr(l.MaxTextBytes, d.MaxTextBytes), MaxAudioBytes: cmpOr(l.MaxAudioBytes, d.MaxAudioBytes),
		MaxDurationMS: cmpOr(l.MaxDurationMS, d.MaxDurationMS), IdleTimeoutMS: cmpOr(l.IdleTimeoutMS, d.IdleTimeoutMS),
		MaxAheadMS: cmpOr(l.MaxAheadMS, d.MaxAheadMS),
	}
}

func (s *assembly) uplink(conn Conn) *uplink {
	return &uplink{conn: conn, lanes: s.lanes, clock: s.clock, rate: &s.settings.rate, started: &s.link.started, closed: &s.link.closed,
		lastInput: &s.link.lastInput, again: &s.link.again, dropped: &s.link.dropped, places: &s.link.places}
}

func (s *assembly) listen(r providers.Recognizer, log *slog.Logger) *listen {
	return &listen{recognizer: r, lanes: s.lanes, log: log, acked: &s.link.acked,
		options: func() providers.ListenOptions { return *s.settings.listen.Load() }}
}

func (s *assembly) speak(v providers.Voice, log *slog.Logger) *speak {
	return &speak{voice: v, lanes: s.lanes, log: log,
		options: func() providers.SpeakOptions { return *s.settings.speak.Load() }}
}

func (s *assembly) downlink(conn Conn, fail context.CancelCauseFunc) *downlink {
	return &downlink{conn: conn, line: s.line, lanes: s.lanes, started: s.started, fail: fail,
		maxAhead: time.Duration(s.limits.MaxAheadMS) * time.Millisecond}
}

// conductor returns a stage that writes totals and habits down when it is done.
func (s *assembly) conductor(h *Host, p Params, log *slog.Logger) *conducting {
	c := &conductor{
		lanes: s.lanes, settings: s.settings, clock: s.clock, link: s.link, limits: s.limits, log: log, meter: h.Meter, help: h.Help,
		grace: cmpOr(h.Grace, 10*time.Second), params: p, started: s.started, newID: newID, config: s.config,
		history: append([]learn.Message(nil), p.History...), totals: p.Conversation.Totals, habits: p.Profile.Habits,
		analyses: h.Analyses, advice: newAdvising(p.Conversation.Scene), words: h.Words, nudges: h.Nudges, turnLimit: cmpOr(h.TurnLimit, turnLimit), handing: handing{on: s.line != nil}, away: away{line: s.line},
	}
	if n := len(p.History); n > 0 {
		c.handing.last = p.History[n-1].UtteranceID
	}
	if h.Drafts != nil && !p.Tenant.Drafts.Off() {
		c.drafts.budget = h.Drafts.Conversation(drafts.Habit{Started: c.habits.Drafts, Released: c.habits.Released})
	}
	c.reviews = h.recalls(p)
	c.watch = watch{lastSpeech: time.Now(), validUntil: p.ValidUntil}
	return &conducting{conductor: c, assembly: s}
}

// conducting is a conductor whose totals and observations are wanted afterwards.
type conducting struct {
	*conductor
	assembly *assembly
}

func (c *conducting) run(ctx, stop context.Context) error {
	defer func() { c.assembly.totals, c.assembly.habits, c.assembly.drafts = c.totals, c.habits, c.drafts.sum }()
	return c.conductor.run(ctx, stop)
}

// newID makes an id: a prefix and 96 random bits, or a UUIDv7 for rows, without one.
func newID(prefix string) string {
	if prefix == "" {
		return uuid.Must(uuid.NewV7()).String()
	}
	var b [12]byte
	rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// asEnd returns the *End in err's chain; anything else is the node going away, or
// our own fault.
func asEnd(err error) *End {
	if e, ok := errors.AsType[*End](err); ok {
		return e
	}
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &End{Reason: EndGoingAway, Err: err}
	}
	return &End{Reason: EndInternal, Code: InternalError, Err: err}
}
