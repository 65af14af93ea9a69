package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kalami/gateway/line"
	"kalami/session"
	"kalami/session/learn"
)

const (
	// maxStrangers is how many sockets may be open at once for the sole purpose of
	// telling their clients why they are refused.
	maxStrangers = 256
	// abortWait is how long aborted sessions get to return; they do no more I/O.
	abortWait = 5 * time.Second
)

// registry knows the live sockets of this node: how many there are, whose they are,
// and how to end them all. It exists because http.Server neither closes nor waits for
// connections that were upgraded.
type registry struct {
	// Static after newRegistry.
	maxSeats, maxPerUser int
	// keeper holds the places of seats over all nodes; nil for none.
	keeper *placeKeeper

	mu sync.Mutex // guards what follows
	// seats holds every seat that is taken, strangers' too.
	seats     map[*seat]struct{}
	perUser   map[string]int
	strangers int
	// talks holds the seat that each conversation of this node goes on in.
	talks    map[string]*seat
	draining bool
	// empty is closed when the registry drains and the last seat was left.
	empty chan struct{}
	// overloaded tells that there is no room, however many seats are free. Static.
	overloaded func() bool
}

func newRegistry(maxSeats, maxPerUser int) *registry {
	return &registry{
		maxSeats: maxSeats, maxPerUser: maxPerUser,
		seats: map[*seat]struct{}{}, perUser: map[string]int{}, talks: map[string]*seat{},
		empty: make(chan struct{}), overloaded: func() bool { return false },
	}
}

// seat is the right to one session, whether it has a socket just now or waits for the
// next, or for a stranger to one socket. Whoever gets one from take gives it back: by
// leave, or by hold, which does so when the session has ended.
type seat struct {
	// Static after take.
	registry *registry
	ctx      context.Context
	cancel   context.CancelCauseFunc
	left     chan struct{} // closed when it was given back
	moves    chan session.Move
	edits    chan learn.TranscriptEdit
	cards    chan learn.Card // that the learner has got elsewhere

	// Guarded by registry.mu.
	user         string  // "" for a stranger's
	conn         aborter // nil before hold
	conversation string
	epoch        int64
	line         *line.Line    // nil for a session that ends with its socket
	tokens       *resumeTokens // those of the line's client
	place        learn.Place   // over all nodes; no ID for none
	leaving      bool
}

// holding is a session that clients can come back to.
type holding struct {
	seat   *seat
	user   string
	epoch  int64
	line   *line.Line
	tokens *resumeTokens
}

// aborter is a connection that can be cut off; see [session.Conn].
type aborter interface{ Abort() }

// take reserves a seat for a user, or for a stranger when userID is empty. It does not
// block. Errors: Unavailable when the node drains or is full, TooMany when the user has
// enough seats.
func (r *registry) take(userID string) (*seat, error) { return r.takeFor(userID, "") }

// takeFor is take for a user who goes on with a conversation, if one is named: the session
// that it goes on in now will end, and does not count.
func (r *registry) takeFor(userID, conversationID string) (*seat, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refusal(userID == ""); err != nil {
		return nil, err
	}
	if userID == "" {
		r.strangers++
	} else {
		if r.perUser[userID]-r.own(userID, conversationID) >= r.maxPerUser {
			return nil, errTooManySessions(r.maxPerUser)
		}
		r.perUser[userID]++
	}
	s := &seat{registry: r, user: userID, left: make(chan struct{}), moves: make(chan session.Move, 1), edits: make(chan learn.TranscriptEdit, editsWaiting), cards: make(chan learn.Card, cardsWaiting)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	r.seats[s] = struct{}{}
	return s, nil
}

// own is 1 if the conversation goes on in one of the user's seats, else 0; the lock is held.
func (r *registry) own(userID, conversationID string) int {
	if s := r.talks[conversationID]; s != nil && s.user == userID {
		return 1
	}
	return 0
}

// refusal says why nobody may take a seat now, or nil; the lock is held.
func (r *registry) refusal(stranger bool) error {
	switch {
	case r.draining:
		return errDraining()
	case stranger && r.strangers >= maxStrangers, !stranger && (len(r.seats)-r.strangers >= r.maxSeats || r.overloaded()):
		return errNoPlace()
	}
	return nil
}

// full says whether there is no room for a further conversation.
func (r *registry) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seats)-r.strangers >= r.maxSeats || r.overloaded()
}

// load is the share of the seats that is taken, strangers' aside, from 0 to 1.
func (r *registry) load() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(len(r.seats)-r.strangers) / float64(r.maxSeats)
}

// hold runs talk, which owns conn and closes it, in a goroutine of its own, and leaves
// the seat when talk returns. drain waits for it. talk's context ends with an
// *[session.End] as its cause when the session is to end.
func (s *seat) hold(conn aborter, talk func(ctx context.Context)) {
	s.registry.mu.Lock()
	s.conn = conn
	s.registry.mu.Unlock()
	go func() {
		defer s.leave()
		talk(s.ctx)
	}()
}

// become makes a stranger's seat that of a user, whose session it goes on with. Neither
// of the caps is asked: the session was let in when it began.
func (s *seat) become(userID string) {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	s.user = userID
	r.strangers--
	r.perUser[userID]++
}

// carry says that the seat's session goes over l from now on, to which clients with one of
// the tokens can come back; before claim.
func (s *seat) carry(l *line.Line, tokens *resumeTokens) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.conn, s.line, s.tokens = l, l, tokens
}

// holder returns the session that a conversation goes on in on this node, if clients can
// come back to it.
func (r *registry) holder(conversationID string) (holding, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.talks[conversationID]
	if s == nil || s.line == nil {
		return holding{}, false
	}
	return holding{seat: s, user: s.user, epoch: s.epoch, line: s.line, tokens: s.tokens}, true
}

// held returns the conversations that go on here, and at which epochs.
func (r *registry) held() []learn.LiveLease {
	r.mu.Lock()
	defer r.mu.Unlock()
	leases := make([]learn.LiveLease, 0, len(r.talks))
	for id, s := range r.talks {
		leases = append(leases, learn.LiveLease{ConversationID: id, Epoch: s.epoch})
	}
	return leases
}

// lineOf returns the line of a conversation; nil for none.
func (r *registry) lineOf(conversationID string) *line.Line {
	h, _ := r.holder(conversationID)
	return h.line
}

// supersede ends the session of a conversation if its epoch is below the given one, and
// says whether there was one.
func (r *registry) supersede(conversationID string, below int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.talks[conversationID]
	if s == nil || s.epoch >= below {
		return false
	}
	s.cancel(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	return true
}

// refused ends the session of a conversation that goes over l, since the mirror knows a
// higher epoch; one that has begun since goes on.
func (r *registry) refused(conversationID string, l *line.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.talks[conversationID]; s != nil && l != nil && s.line == l {
		s.cancel(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	}
}

// claim says that this seat's conversation is the one with the given id, taken over at
// the given epoch. Of two seats on this node that claim the same conversation, the one
// with the lower epoch is ended as superseded.
func (s *seat) claim(conversationID string, epoch int64) {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	older, newer := r.talks[conversationID], s
	s.conversation, s.epoch = conversationID, epoch
	if older != nil && older != s {
		if older.epoch > newer.epoch {
			older, newer = newer, older
		}
		older.cancel(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	}
	r.talks[conversationID] = newer
}

// leave gives the seat back, and its place over all nodes, for which it may block for half
// a second. Leaving twice is the same as leaving once.
func (s *seat) leave() {
	r := s.registry
	r.mu.Lock()
	again, place := s.leaving, s.place
	s.leaving = true
	r.mu.Unlock()
	if again {
		return
	}
	if r.keeper != nil {
		r.keeper.leave(place)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seats, s)
	if s.user == "" {
		r.strangers--
	} else if r.perUser[s.user]--; r.perUser[s.user] == 0 {
		delete(r.perUser, s.user)
	}
	if r.talks[s.conversation] == s {
		delete(r.talks, s.conversation)
	}
	s.cancel(nil)
	close(s.left)
	if r.draining && len(r.seats) == 0 {
		close(r.empty)
	}
}

// endUser asks every session of a user to end, as it is, for want of a valid sign-in.
// It does not wait for them.
func (r *registry) endUser(userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perUser[userID] == 0 {
		return
	}
	for s := range r.seats {
		if s.user == userID {
			s.cancel(&session.End{Reason: session.EndUnauthorised})
		}
	}
}

// active counts the seats of one user, without that of the conversation, if one is named.
func (r *registry) active(userID, butConversation string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.perUser[userID] - r.own(userID, butConversation)
}

// total counts the seats of all users.
func (r *registry) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seats) - r.strangers
}

// Held is what a node holds for those who talk there.
type Held struct {
	Sessions int
	// Counted are the sessions that count against how many their users may have: the same
	// number, unless one was lost count of.
	Counted int
	// Conversations are those that the node says are its own.
	Conversations int
}

// Held counts what this node holds at this moment.
func (s *Server) Held() Held {
	r := s.live
	r.mu.Lock()
	defer r.mu.Unlock()
	h := Held{Sessions: len(r.seats) - r.strangers, Conversations: len(r.talks)}
	for _, n := range r.perUser {
		h.Counted += n
	}
	return h
}

// drain refuses new seats, asks every session to finish its sentence and end as a
// restart, and waits until all have ended. When ctx ends first, it cuts the rest off and
// returns an error that counts them. It may be called again.
func (r *registry) drain(ctx context.Context) error {
	r.mu.Lock()
	r.refuse()
	for s := range r.seats {
		s.cancel(&session.End{Reason: session.EndRestart, Code: session.Draining})
	}
	r.mu.Unlock()
	select {
	case <-r.empty:
		return nil
	case <-ctx.Done():
	}
	cut := r.abort()
	late := time.NewTimer(abortWait)
	defer late.Stop()
	select {
	case <-r.empty:
		return fmt.Errorf("gateway: drain: %d sessions cut off: %w", cut, context.Cause(ctx))
	case <-late.C:
		return fmt.Errorf("gateway: drain: %d sessions do not end: %w", r.total(), context.Cause(ctx))
	}
}

// refuse refuses new seats from here on; the lock is held.
func (r *registry) refuse() {
	if r.draining {
		return
	}
	r.draining = true
	if len(r.seats) == 0 {
		close(r.empty)
	}
}

// abort cuts every connection off and counts them.
func (r *registry) abort() int {
	r.mu.Lock()
	var conns []aborter
	for s := range r.seats {
		if s.conn != nil {
			conns = append(conns, s.conn)
		}
	}
	r.mu.Unlock()
	for _, c := range conns {
		c.Abort() // outside the lock: it waits for the connection's own locks
	}
	return len(conns)
}
