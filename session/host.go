package session

import (
	"context"
	"log/slog"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// Deps are what every session of a node shares; static after the composition root made them.
type Deps struct {
	Recognizer providers.Recognizer
	Tutor      providers.Tutor
	Voice      providers.Voice
	Journal    Journal
	Log        *slog.Logger
}

// Params are what one session starts from; the gateway fills them from the ticket.
type Params struct {
	// Config is the effective configuration; the session fills in what depends on
	// level and defaults (patience, speed) when they are zero.
	Config Config
	// Conversation has its epoch already taken by this node.
	Conversation learn.Conversation
	Profile      learn.Profile
	User         learn.User
	// History holds the conversation's latest messages, oldest first.
	History []learn.Message
	// Resume is offered in session.created.
	Resume Resume
	// ValidUntil is when the access token behind this session ends; zero means
	// that a ticket opened it, which is checked once.
	ValidUntil time.Time
}

// Host runs sessions. Its zero value is not usable; fill Deps.
type Host struct {
	Deps
	// Limits of every session; zero fields mean the defaults of protocol section 3.8.
	Limits Limits
}

// Run holds one conversation over conn: it blocks until the conversation's
// connection is over, closes conn, waits for every goroutine it started, and
// says how it ended. Ending ctx with an *End as its cause ends the session for
// that reason; a cause of [EndRestart] lets the sentence being spoken finish first,
// within the grace that the cause's context leaves.
func (h *Host) Run(ctx context.Context, conn Conn, p Params) *End {
	panic("written in the next step")
}
