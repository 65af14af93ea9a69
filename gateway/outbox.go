package gateway

import (
	"bytes"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"kalami/gateway/mailer"
	"kalami/session/learn"
)

// outboxRoutes registers the page that shows mails which were not sent anywhere. It is
// there only when the options have an outbox, which is for trying things out.
func (s *Server) outboxRoutes() {
	if s.opts.Outbox == nil {
		return
	}
	s.handle(operation{
		method: http.MethodGet, path: "/debug/outbox", id: "showOutbox", tag: "debug", class: unpaced,
		summary: "The mails that would have been sent, as a page",
		about:   "Only on a server in debug mode without mail, and only for callers on the same machine.",
		gives:   []success{{status: http.StatusOK, bodies: []content{{mediaType: echo.MIMETextHTML}}}},
		fails:   []failure{{http.StatusNotFound, "The caller is not on the same machine."}},
	}, s.fromThisMachine(s.showOutbox))
	s.handle(operation{
		method: http.MethodGet, path: "/debug/outbox.json", id: "listOutbox", tag: "debug", class: unpaced,
		summary: "The mails that would have been sent, the latest first",
		about:   "Only on a server in debug mode without mail, and only for callers on the same machine.",
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: []mailer.Kept{}}}}},
		fails:   []failure{{http.StatusNotFound, "The caller is not on the same machine."}},
	}, s.fromThisMachine(s.listOutbox))
}

// fromThisMachine answers 404 to whoever is not, or may not be, on the same machine: a
// proxy's requests come from it as well, and a foreign page can have its own name lead
// here (DNS rebinding), so neither forwarding headers nor other names are accepted. Nor
// is HTTP/1.0: it is the only trace that nginx has long left by default, which then adds
// no header and writes the name of this machine into Host.
func (s *Server) fromThisMachine(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		ok := err == nil && from.Addr().Unmap().IsLoopback() && isLoopbackName(r.Host) && r.ProtoAtLeast(1, 1)
		for header := range r.Header {
			ok = ok && !isForwarding(header)
		}
		if !ok {
			return learn.Errorf(learn.NotFound, "gateway.outbox", "Not Found")
		}
		return next(c)
	}
}

// isForwarding knows the headers that proxies add, by their canonical names.
func isForwarding(header string) bool {
	switch header {
	case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Original-Host", "True-Client-Ip", "Cdn-Loop":
		return true
	}
	return strings.HasPrefix(header, "X-Forwarded") || strings.HasPrefix(header, "Cf-")
}

// isLoopbackName says whether a Host header names this machine to itself.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

// listOutbox answers GET /debug/outbox.json.
func (s *Server) listOutbox(c echo.Context) error {
	return c.JSON(http.StatusOK, s.opts.Outbox.Kept())
}

// showOutbox answers GET /debug/outbox: plain HTML without scripts and styles.
func (s *Server) showOutbox(c echo.Context) error {
	var page bytes.Buffer
	if err := s.outboxPage.Execute(&page, s.opts.Outbox.Kept()); err != nil {
		return err
	}
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}

// newOutboxPage parses the page; html/template escapes what the mails hold.
func newOutboxPage() *template.Template {
	return template.Must(template.New("outbox").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Outbox</title>
<h1>Outbox</h1>
<p>Mail is not set up; these would have been sent. The latest comes first, and a restart forgets them.</p>
{{range .}}<hr>
<dl><dt>To</dt><dd>{{.To}}</dd><dt>Subject</dt><dd>{{.Subject}}</dd><dt>At</dt><dd>{{.At.Format "2006-01-02 15:04:05 MST"}}</dd></dl>
<pre>{{.Text}}</pre>
{{else}}<p>Nothing yet.</p>
{{end}}</html>
`))
}
