package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// erasureTimeout is longer than others: a learner may have talked for years.
const erasureTimeout = 40 * time.Second

// deletionRequest is the body of DELETE /auth/me.
type deletionRequest struct {
	Password *string `json:"password,omitempty" doc:"Required for an account that has one." example:"a good long one"`
}

// deleteMe answers DELETE /auth/me. The rows go first: what a conversation that is
// still open would write finds nothing to belong to, and is refused by the store.
func (s *Server) deleteMe(c echo.Context, who caller) error {
	var in deletionRequest
	if err := decodeOptionalJSON(c, &in); err != nil {
		return err
	}
	if who.user.HashedPassword != "" {
		var f faults
		password := f.required("password", in.Password)
		if err := f.err("gateway.deleteMe"); err != nil {
			return err
		}
		if err := s.confirmPassword(c, who.user, password); err != nil {
			return err
		}
	}
	ctx := c.Request().Context()
	err := s.opts.Users.EraseUser(ctx, who.user.ID)
	if err != nil && learn.KindOf(err) != learn.NotFound { // not there: asked twice at once
		return err
	}
	s.endSockets(ctx, who.user.ID)
	return c.NoContent(http.StatusNoContent)
}
