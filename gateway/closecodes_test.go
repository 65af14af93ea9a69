package gateway

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kalami/session"
)

// endReasons reads the constants of type EndReason out of package session, with the
// comment behind each.
func endReasons(t *testing.T) map[session.EndReason]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "session", "end.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[session.EndReason]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "EndReason" {
				continue
			}
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons[session.EndReason(name)] = v.Comment.Text()
		}
	}
	if len(reasons) < 20 || len(reasons) != len(session.EndReasons()) {
		t.Fatalf("%d reasons found in session/end.go, %d are listed", len(reasons), len(session.EndReasons()))
	}
	return reasons
}

// Every way to end has a row, with the code that its comment promises, and the range of
// the code means what the protocol says it does.
func TestCloseCodeTable(t *testing.T) {
	seen := map[websocket.StatusCode]session.EndReason{}
	for reason, comment := range endReasons(t) {
		row, ok := closeCodeOf(reason)
		if !ok {
			t.Errorf("%s has no row", reason)
			continue
		}
		if other, twice := seen[row.code]; twice {
			t.Errorf("%s and %s share code %d", reason, other, row.code)
		}
		seen[row.code] = reason
		if reason == session.EndGone {
			if row.code != 0 {
				t.Errorf("gone sends code %d; there is nobody to send it to", row.code)
			}
			continue
		}
		promised, _, _ := strings.Cut(strings.TrimSpace(comment), ",")
		if strconv.Itoa(int(row.code)) != promised {
			t.Errorf("%s closes with %d, its comment says %q", reason, row.code, promised)
		}
		if row.name == "" || len(row.name) > maxCloseReason {
			t.Errorf("%s: close reason of %d bytes", reason, len(row.name))
		}
		var want clientAction
		switch c := row.code; {
		case c >= 4100 && c < 4200:
			want = actionResume
		case c >= 4200 && c < 4300:
			want = actionNewTicket
		case c >= 4400 && c < 4500:
			want = actionStop
		case c >= 1000 && c < 1015:
			continue // RFC 6455 gives these their meaning, not our ranges
		default:
			t.Errorf("%s: code %d is in no range", reason, c)
		}
		if row.client != want {
			t.Errorf("%s: code %d tells the client to do %d, its range says %d", reason, row.code, row.client, want)
		}
	}
}

func TestCloseFrame(t *testing.T) {
	long := session.Code(strings.Repeat("é", maxCloseReason))
	for _, tt := range []struct {
		name   string
		end    session.End
		code   websocket.StatusCode
		reason string
		send   bool
	}{
		{"the reason's own name", session.End{Reason: session.EndUnauthorised}, 4401, "unauthorized", true},
		{"a closer code", session.End{Reason: session.EndUnauthorised, Code: session.TicketExpired}, 4401, "ticket_expired", true},
		{"nobody there", session.End{Reason: session.EndGone}, 0, "gone", false},
		{"a reason of tomorrow", session.End{Reason: "bored"}, 1011, "internal_error", true},
		{"too long", session.End{Reason: session.EndInternal, Code: long}, 1011, strings.Repeat("é", maxCloseReason/2), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, send := closeFrame(&tt.end)
			if code != tt.code || reason != tt.reason || send != tt.send {
				t.Errorf("%d %q %v, want %d %q %v", code, reason, send, tt.code, tt.reason, tt.send)
			}
		})
	}
}

// What is told to those who check closed sockets is the table, and nothing else.
func TestCloseCodesAreListed(t *testing.T) {
	codes := CloseCodes()
	for _, reason := range session.EndReasons() {
		if code, _, send := closeFrame(&session.End{Reason: reason}); send && !slices.Contains(codes, int(code)) {
			t.Errorf("%s closes with %d, which is not listed", reason, code)
		}
	}
	for _, e := range []*session.End{{Reason: session.EndUnauthorised}, {Reason: session.EndUnauthorised, Code: noToken}} {
		if code, _, _ := originalCloseFrame(e); !slices.Contains(codes, int(code)) {
			t.Errorf("%d is not listed", code)
		}
	}
	if n := len(session.EndReasons()) - 1 + 2; len(codes) != n { // gone has none
		t.Errorf("%d codes, want %d", len(codes), n)
	}
}
