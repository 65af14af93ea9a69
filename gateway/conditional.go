package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// conditionalJSON answers 200 with v, or 304 without a body when the caller holds v already
// and says so by If-None-Match: what a phone asks for again and again costs it nothing
// while nothing changes. The tag is a hash of the answer, so it needs no bookkeeping and
// cannot be out of date; that the answer is made before is cheap beside sending it.
func conditionalJSON(c echo.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	body = append(body, '\n') // as every other answer ends
	sum := sha256.Sum256(body)
	// Weak: it stands for the content, whether or not that is compressed on its way.
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	h := c.Response().Header()
	h.Set(headerETag, tag)
	// The caller's own cache may keep it, and must ask every time.
	h.Set(echo.HeaderCacheControl, "private, no-cache")
	vary(h, echo.HeaderAuthorization)
	if holds(c.Request().Header.Values("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
}

// pollable is what the description of a route with [conditionalJSON] says about it.
const pollable = "Answers carry an `ETag`; with it in `If-None-Match`, an answer that has not changed is 304 without a body."

// unchanged is the other success of a route with conditionalJSON.
func unchanged() success {
	return success{status: http.StatusNotModified, about: "What the caller holds, by If-None-Match, is still right."}
}

// holds says whether one of the tags of an If-None-Match header is tag, compared weakly,
// or any tag will do. Tags here hold no comma.
func holds(headers []string, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for _, h := range headers {
		for one := range strings.SplitSeq(h, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
