package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// credentialKind says what opens a voice socket.
type credentialKind uint8

const (
	// credentialTicket: a new session; also whatever has the form of nothing we know.
	credentialTicket credentialKind = iota
	// credentialResume: the return to a session.
	credentialResume
	// credentialBearer: an access token in the Authorization header, from clients that
	// can set one.
	credentialBearer
)

// credential is what a socket request shows.
type credential struct {
	kind   credentialKind
	secret string
}

// readCredential finds the credential of a socket request: the Authorization header
// before the subprotocol, and never the URL, which ends in access logs. It also checks
// that our subprotocol is offered, since a browser drops a connection whose server
// selects none. Errors have their HTTP status.
func readCredential(r *http.Request) (credential, error) {
	const op = "gateway.voice"
	offered := headerTokens(r.Header, "Sec-WebSocket-Protocol")
	if !slices.Contains(offered, wire.Subprotocol) {
		return credential{}, statusError(http.StatusBadRequest, string(session.BadRequest),
			"Offer the WebSocket subprotocol "+wire.Subprotocol)
	}
	if len(r.Header.Values(echo.HeaderAuthorization)) > 0 {
		raw, err := bearerToken(r)
		return credential{credentialBearer, raw}, err
	}
	var secrets []string
	for _, name := range offered {
		if secret, ok := strings.CutPrefix(name, wire.TokenPrefix); ok {
			secrets = append(secrets, secret)
		}
	}
	switch {
	case len(secrets) == 0:
		return credential{}, learn.Errorf(learn.Unauthorised, op,
			"Not authenticated: send a bearer token, or a ticket as the subprotocol %s<ticket>", wire.TokenPrefix)
	case len(secrets) > 1:
		return credential{}, statusError(http.StatusBadRequest, string(session.BadRequest),
			"Offer one credential, not several")
	case token.IsResume(secrets[0]):
		return credential{credentialResume, secrets[0]}, nil
	}
	return credential{credentialTicket, secrets[0]}, nil
}

// statusError is an error with a status and code of its own.
func statusError(status int, code, message string) error {
	return &apiError{status: status, code: code, err: learn.Errorf(learn.Invalid, "gateway.voice", "%s", message)}
}
