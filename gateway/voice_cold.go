package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"golang.org/x/sync/errgroup"

	"kalami/gateway/line"
	"kalami/gateway/metrics"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// takeoversPerCore is how many conversations a node takes over at a time, for each core
// that it has; others wait, in the order in which they came. When a node has died all its
// learners come at once: one after another they are back after half the time on average
// that all take together, and the last not later.
const takeoversPerCore = 2

// mirrorReadWait is how long a session is looked for in a mirror that is not known to be
// away: as long as it takes to know that.
const mirrorReadWait = 2 * time.Second

// found is what is known of a conversation that was taken over.
type found struct {
	conversation learn.Conversation
	learn.Background
	// handover is the session as its last node has left it, brought up to date with what is
	// stored; nil when the mirror has lost it.
	handover *session.Handover
	events   []learn.LiveEvent
}

// cold takes the conversation over, whoever has it, and goes on with it on this node.
func (r *returning) cold(ctx context.Context) error {
	v := r.v
	ask, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	question, f, err := r.takeOver(ask)
	if err != nil {
		return err
	}
	c := f.conversation
	if f.User.TokenVersion != c.TokenVersion {
		return errRevoked
	}
	tokens := v.server.newResumeTokens(c, c.TokenVersion)
	tokens.used(r.hash, question.Next)
	p := r.params(f, tokens)
	p.Moves, p.Edits, p.Cards = r.seat.moves, r.seat.edits, r.seat.cards
	l, back := r.line(f, p, tokens)
	r.seat.carry(l, tokens)
	r.seat.claim(c.ID, c.Epoch)
	r.conn.returned()
	r.conn.renew = v.renewerOf(r.seat, c.UserID)
	if err := l.Attach(r.conn, back); err != nil {
		l.Close(&session.End{Reason: session.EndGone})
		return err
	}
	result := metrics.ResumeCold
	if back.Restart != nil {
		result = metrics.ResumeRestarted
	}
	r.counted(result)
	v.server.log.Info("session resumed", "request_id", r.request, "conversation", c.ID, "epoch", c.Epoch, "warm", false, "restarted", back.Restart != nil)
	v.run(ctx, l, p)
	return nil
}

// takeOver makes the conversation this node's, and reads what there is of it.
func (r *returning) takeOver(ctx context.Context) (learn.Resumption, found, error) {
	select {
	case r.v.takeovers <- struct{}{}:
		defer func() { <-r.v.takeovers }()
	case <-ctx.Done():
		return learn.Resumption{}, found{}, &learn.Error{Kind: learn.Unavailable, Msg: "Many come back at once, try again shortly", Err: context.Cause(ctx)}
	}
	question, c, outcome, err := r.ask(ctx, 0)
	if err != nil {
		return question, found{}, err
	}
	if outcome != learn.ResumeGranted {
		return question, found{}, r.notGranted(ctx, outcome, c)
	}
	r.seat.become(c.UserID) // before the sign-in is looked at, so that ending it later is noticed
	f, err := r.lookUp(ctx, c)
	return question, f, err
}

// lookUp reads what there is of a conversation that is this node's now: what is stored, and
// what the mirror holds, which is nobody's to change any more.
func (r *returning) lookUp(ctx context.Context, c learn.Conversation) (found, error) {
	o := &r.v.server.opts
	f := found{conversation: c}
	var state learn.LiveState
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if f.Background, err = o.Resumptions.Background(gctx, c, recentMessages); err != nil {
			return err
		}
		// The place is the conversation's own for as long as its last session is there, or was
		// killed a moment ago; later there must be one. The token that was shown stays good.
		places := r.v.server.places
		p := learn.Place{ID: c.ID, UserID: c.UserID, TenantID: c.TenantID}
		return places.take(gctx, r.seat, p, places.limits(c.TenantID, f.Tenant))
	})
	group.Go(func() error {
		state = r.mirrored(gctx)
		// Only now: who is told ends its session, and how that ends is not to be read here.
		r.v.server.announceTakeover(gctx, c)
		return nil
	})
	if err := group.Wait(); err != nil {
		return found{}, err
	}
	var h session.Handover
	if len(state.State) > 0 {
		if err := json.Unmarshal(state.State, &h); err != nil {
			r.v.server.log.Warn("a mirrored session cannot be read", "conversation", c.ID, "err", err)
			h = session.Handover{}
		}
	}
	if h.SessionID != "" && !state.Overtaken(c.Epoch, r.said.LastSeq) {
		h = h.Reconciled(f.History)
		f.handover, f.events = &h, state.Events
	}
	reason := metrics.TakeoverResume
	if h.Moving {
		reason = metrics.TakeoverHandover
	}
	r.v.server.countTakeover(reason)
	return f, nil
}

// shown tells the session which events its client has, or is sent again.
func (f found) shown() {
	for _, e := range f.events {
		if _, ev, err := wire.DecodeEvent(e.Data); err == nil { // one of a later version shows nothing that is known here
			f.handover.Shown(ev)
		}
	}
}

// mirrored returns what the mirror holds; nothing when it does not answer. That one question
// was not answered is no reason to begin anew, which a learner notices, as they do not notice
// a moment's delay: it is asked until it is known to be away.
func (r *returning) mirrored(ctx context.Context) learn.LiveState {
	mirror := r.v.server.opts.Mirror
	if mirror == nil {
		return learn.LiveState{}
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorReadWait)
	defer cancel()
	for {
		state, _, err := mirror.Live(ctx, r.conversation)
		if err == nil {
			return state
		}
		again := time.NewTimer(placeAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
		if mirror.Degraded() || ctx.Err() != nil {
			r.v.server.log.Warn("a session could not be read from the mirror", "conversation", r.conversation, "err", err)
			return learn.LiveState{}
		}
	}
}

// params are what the session starts from.
func (r *returning) params(f found, tokens *resumeTokens) session.Params {
	s, c := r.v.server, f.conversation
	cfg := s.sessionConfig(Ticket{ConversationID: c.ID, Topic: c.Topic, ScenarioID: playedIn(c)}, f.Profile, f.User, sessionRequest{})
	cfg.ID = "vs_" + rand.Text()
	cfg = cfg.Completed(f.Profile)
	if f.handover != nil {
		parts, demo := cfg.Parts, cfg.Demo
		cfg = f.handover.Config
		cfg.Parts, cfg.Demo = parts, demo
	}
	played := r.said.Playback
	var until time.Time
	if f.handover != nil {
		until = f.handover.ValidUntil // the access token ends when it would have on the last node
		played = f.handover.Counted(played, r.said.LastSeq)
	}
	return session.Params{
		Config: cfg, Conversation: c, Profile: f.Profile, User: f.User, Tenant: f.Tenant, History: f.History,
		Resume: tokens.resume(r.next), Returning: true, Handover: f.handover, Playback: played,
		Survives: s.opts.Nodes != nil, ValidUntil: until,
	}
}

// line makes the line over which the session goes on, and says how the client is told: that
// nothing is missing, if the log of the last node proves it; else what holds now, under
// numbers above all that the client can have seen.
func (r *returning) line(f found, p session.Params, tokens *resumeTokens) (*line.Line, line.Return) {
	back := line.Return{LastSeq: r.said.LastSeq, Playback: p.Playback, Resume: p.Resume, Cold: true}
	o := r.v.lineOptions(p, tokens)
	o.Input = f.conversation.Input
	if f.handover != nil {
		back.Response = f.handover.GoOn(p.Playback)
		o.Input = f.handover.NextInput(o.Input)
	}
	o.Next = 1
	if n := len(f.events); n > 0 {
		o.Next = f.events[n-1].Seq + 1
	}
	if f.handover != nil && f.handover.SessionID == r.said.SessionID && len(f.events) > 0 {
		o.Replay = f.events
		l := line.New(o)
		if l.Covers(r.said.LastSeq) == nil {
			f.shown()
			l.Republish() // under the new epoch the mirror begins with nothing
			return l, back
		}
		l.Abort()
	}
	if f.handover != nil {
		f.handover.ShownAnew(back.Response)
	}
	o.Replay, o.Next = nil, max(o.Next, r.said.LastSeq+1)
	back.Restart = &session.Restarted{Session: p.Config, Items: itemsOf(f.History), Response: back.Response}
	return line.New(o), back
}
