package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
)

// originalPath is the route of the original's socket.
const originalPath = "/ws"

// originalSockets is the original's socket, GET /ws?token=…, for its app as it is: the
// access token stands in the query, where the request log never looks, and is checked
// once. Its sockets have seats of the same registry as the voice sockets, and so count
// toward the same limits and drain with them.
type originalSockets struct {
	// Static after registerOriginal.
	server *Server
	live   *registry
	limits originalLimits
}

// registerOriginal registers the socket of the original.
func (s *Server) registerOriginal() {
	s.original = &originalSockets{server: s, live: s.live, limits: defaultOriginalLimits()}
	for _, prefix := range []string{"", "/api"} {
		s.echo.GET(prefix+originalPath, s.original.connect)
	}
}

// connect answers GET /ws. The app knows two refusals, both by close codes: no token and
// a wrong one. Everything else is refused by a status, which it takes for a lost
// connection and tries again.
func (o *originalSockets) connect(c echo.Context) error {
	r := c.Request()
	if err := o.server.admit("", ""); err != nil {
		return err
	}
	if !wantsUpgrade(r) {
		c.Response().Header().Set(echo.HeaderUpgrade, "websocket")
		return statusError(http.StatusUpgradeRequired, "upgrade_required", "This address speaks WebSocket only")
	}
	if !originalOriginAllowed(r, o.server.opts.AllowedOrigins, o.server.proxies.secure(r)) {
		return learn.Errorf(learn.Forbidden, "gateway.original", "This site may not open a socket here")
	}
	accessToken := c.QueryParam("token")
	if accessToken == "" {
		return o.refuse(c, &session.End{Reason: session.EndUnauthorised, Code: noToken})
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupWait)
	defer cancel()
	who, err := o.server.identify(ctx, accessToken)
	switch {
	case learn.KindOf(err) == learn.Unauthorised && err != nil:
		o.server.log.Info("original socket refused", "request_id", requestID(c), "err", err)
		return o.refuse(c, &session.End{Reason: session.EndUnauthorised})
	case err != nil:
		return err
	}
	c.Set(keyUserID, who.user.ID)
	if err := o.server.allowHandshake(c, who.user.ID); err != nil {
		return err
	}
	tenant, err := o.server.opts.Tenants.TenantSettings(ctx, who.tenantID)
	if err != nil {
		return err
	}
	s, err := o.live.take(who.user.ID)
	if err != nil {
		return err
	}
	places, p := o.server.places, learn.Place{ID: "ws_" + rand.Text(), UserID: who.user.ID, TenantID: who.tenantID}
	if err := places.take(ctx, s, p, places.limits(who.tenantID, tenant)); err != nil {
		s.leave()
		return err
	}
	return o.open(c, s, func(ctx context.Context, conn *originalConn) { o.newTalk(conn, who).run(ctx) })
}

// refuse upgrades for as long as it takes to close.
func (o *originalSockets) refuse(c echo.Context, end *session.End) error {
	s, err := o.live.take("")
	if err != nil {
		return err
	}
	return o.open(c, s, func(_ context.Context, conn *originalConn) { conn.close(end) })
}

// open upgrades and runs talk, which closes the connection, in the seat's own goroutine.
func (o *originalSockets) open(c echo.Context, s *seat, talk func(ctx context.Context, conn *originalConn)) error {
	var conn *originalConn // nobody reads before it is there
	uw := &upgradeWriter{ResponseWriter: c.Response()}
	ws, err := websocket.Accept(uw, c.Request(), &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the origin has been judged
		CompressionMode:    websocket.CompressionDisabled,
		OnPongReceived:     func(context.Context, []byte) { conn.alive(time.Time{}) },
	})
	if err != nil {
		s.leave()
		if c.Response().Committed {
			o.server.log.Info("original socket not upgraded", "request_id", requestID(c), "err", err)
			return nil
		}
		return fmt.Errorf("gateway: upgrade: %w", err)
	}
	ws.SetReadLimit(-1) // receive has its own, past which the connection goes on
	conn = newOriginalConn(ws, uw.conn, o.limits, &o.server.bodies)
	id, log := requestID(c), o.server.log // the context of Echo is reused after the handler
	s.hold(conn, func(ctx context.Context) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("original socket failed", "request_id", id, "err", panicked(p))
				conn.close(&session.End{Reason: session.EndInternal, Code: session.InternalError})
			}
		}()
		talk(ctx, conn)
	})
	return nil
}

// panicked is a panic's value as an error, with its stack.
func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }

func (o *originalSockets) newTalk(conn *originalConn, who caller) *originalTalk {
	id := "ws_" + rand.Text()
	return &originalTalk{
		server: o.server, conn: conn, id: id, tenantID: who.tenantID, user: who.user,
		log:    o.server.log.With("connection", id, "user", who.user.ID),
		jobs:   make(chan originalJob, maxOriginalJobs),
		events: newMeter(originalRate, originalBurst, FlowLimits{}.withDefaults().Sustained),
	}
}

// endOf is the end that a context's cause is, or that of a node which goes away.
func endOf(cause error) *session.End {
	if end, ok := errors.AsType[*session.End](cause); ok {
		return end
	}
	return &session.End{Reason: session.EndGoingAway, Err: cause}
}
