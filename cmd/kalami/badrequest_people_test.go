package main

import (
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"kalami/gateway/token"
)

// people are those whom the rows speak of: ana with her things, and bo, who has none of them.
type people struct {
	*house
	client  *http.Client
	ana, bo string            // access tokens
	others  map[string]string // those of learners who do what ends an account or its tokens
	// names are ana's things, by the names that the rows call them.
	names map[string]string
	// deleted is a profile that she has deleted and orphan a session of it, ended one that
	// has ended; nobody is an id that nothing has.
	deleted, orphan, ended, nobody string
}

const (
	anasAddress  = "ana@example.org"
	anasPassword = "correct horse battery"
)

// meetPeople makes their accounts through the API.
func meetPeople(t *testing.T, h *house) *people {
	t.Helper()
	transport := &http.Transport{ExpectContinueTimeout: patience, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	p := &people{house: h, client: &http.Client{Transport: transport}, nobody: "0199e0a5-7d3c-7aa1-8d52-3f1f6c0f9b11"}
	ana := p.account(t, anasAddress)
	p.ana, p.bo, p.others = ana.Access, p.account(t, "bo@example.org").Access, map[string]string{}
	for _, name := range []string{"dora", "eva", "fay"} {
		p.others[name] = p.account(t, name+"@example.org").Access
	}
	p.names = map[string]string{
		"$email": anasAddress, "$password": anasPassword, "$refresh": ana.Refresh, "$wav": base64.StdEncoding.EncodeToString([]byte(sentence())),
		"$profile": p.make(t, "/users/profiles", `{"target_language":"es","cefr_level":"B1"}`),
		"$spare":   p.make(t, "/users/profiles", `{"target_language":"it"}`),
	}
	p.account(t, "gil@example.org")
	p.send(t, attempt{method: http.MethodPost, path: "/auth/password/forgot", contentType: "application/json", body: `{"email":"gil@example.org"}`}).
		has(t, http.StatusAccepted)
	p.names["$verify"], p.names["$reset"] = p.mailed(t, "gil@example.org", "verify"), p.mailed(t, "gil@example.org", "reset")
	session := func(profile string) string {
		return p.make(t, "/conversations/sessions", `{"profile_id":"`+profile+`"}`)
	}
	p.names["$session"] = p.make(t, "/conversations/sessions", `{"profile_id":"`+p.names["$profile"]+`","scenario_id":"`+playedScenario+`"}`)
	p.ended = session(p.names["$profile"])
	p.readAloud(t)
	p.send(t, attempt{method: http.MethodPost, path: "/conversations/sessions/" + p.ended + "/end", token: p.ana}).has(t, http.StatusOK)
	p.say(t, "Yo soy muy cansado.")
	p.giveCards(t)
	p.giveMemories(t)
	p.deleted = p.make(t, "/users/profiles", `{"target_language":"de"}`)
	p.orphan = session(p.deleted)
	p.send(t, attempt{method: http.MethodDelete, path: "/users/profiles/" + p.deleted, token: p.ana}).has(t, http.StatusNoContent)
	return p
}

// say has ana say something in her session in which something is corrected.
func (p *people) say(t *testing.T, text string) {
	t.Helper()
	var turn struct {
		Message string `json:"user_message_id"`
	}
	p.send(t, attempt{method: http.MethodPost, path: "/conversations/sessions/" + p.names["$session"] + "/text", token: p.ana,
		contentType: "application/json", body: `{"text":"` + text + `","generate_audio":false}`}).has(t, http.StatusOK).read(t, &turn)
	var found []struct{ ID string }
	p.send(t, attempt{method: http.MethodGet, path: "/conversations/sessions/" + p.names["$session"] + "/corrections", token: p.ana}).
		has(t, http.StatusOK).read(t, &found)
	if len(found) == 0 {
		t.Fatalf("nothing was corrected in %q", text)
	}
	p.names["$message"], p.names["$correction"] = turn.Message, found[0].ID
}

// signedIn are the tokens of somebody.
type signedIn struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// account registers somebody and signs in.
func (p *people) account(t *testing.T, email string) (tokens signedIn) {
	t.Helper()
	p.send(t, attempt{method: http.MethodPost, path: "/auth/register", contentType: "application/json",
		body: `{"email":"` + email + `","password":"` + anasPassword + `"}`}).has(t, http.StatusCreated)
	p.send(t, attempt{method: http.MethodPost, path: "/auth/login", contentType: "application/x-www-form-urlencoded",
		body: "username=" + email + "&password=" + anasPassword}).has(t, http.StatusOK).read(t, &tokens)
	return tokens
}

// mailed waits for the letter to an address whose link has a token for this, and returns
// the token.
func (p *people) mailed(t *testing.T, to, purpose string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var letters []struct{ To, Text string }
		p.send(t, attempt{method: http.MethodGet, path: "/debug/outbox.json"}).has(t, http.StatusOK).read(t, &letters)
		for _, l := range letters {
			if _, token, ok := strings.Cut(l.Text, "#"+purpose+"="); ok && l.To == to {
				token, _, _ = strings.Cut(token, "\n")
				return token
			}
		}
	}
	t.Fatalf("no letter to %s came", to)
	return ""
}

// make posts something as ana and returns the id of what came of it.
func (p *people) make(t *testing.T, path, body string) (id string) {
	t.Helper()
	var made struct{ ID string }
	p.send(t, attempt{method: http.MethodPost, path: path, token: p.ana, contentType: "application/json", body: body}).
		has(t, http.StatusCreated).read(t, &made)
	return made.ID
}

// right is the right call of an operation.
func (p *people) right(op describedOperation, r operationRow) attempt { return p.call(op, r, p.names) }

// call is the right call but for what the names stand for.
func (p *people) call(op describedOperation, r operationRow, names map[string]string) attempt {
	fill := func(s string) string {
		for name, value := range names {
			s = strings.ReplaceAll(s, name, value)
		}
		return s
	}
	a := attempt{method: op.method, path: fill(r.path), query: fill(r.query)}
	switch {
	case r.open:
	case r.as != "":
		a.token = p.others[r.as]
	default:
		a.token = p.ana
	}
	switch {
	case r.body != "":
		a.contentType, a.body = "application/json", fill(r.body)
	case r.form != "":
		a.contentType, a.body = "application/x-www-form-urlencoded", fill(r.form)
	case r.file != "":
		a.contentType, a.body = "text/plain", r.file
	}
	return a
}

// instead returns the names with another value for one.
func (p *people) instead(name, value string) map[string]string {
	names := maps.Clone(p.names)
	names[name] = value
	return names
}

// badTokens are tokens that are nobody's, by what is wrong with them.
func (p *people) badTokens() map[string]string {
	foreign := func(key string, issued time.Time) string {
		issuer, err := token.NewIssuer(token.Config{Key: []byte(strings.Repeat(key, 32))})
		if err != nil {
			panic(err) // the keys below are long enough
		}
		raw, _, err := issuer.Issue(p.nobody, p.nobody, 0, issued)
		if err != nil {
			panic(err)
		}
		return raw
	}
	body := strings.Split(p.ana, ".")
	return map[string]string{
		"none":            "",
		"nonsense":        "x.y.z",
		"another key's":   foreign("k", time.Now()),
		"an old one":      foreign("k", time.Now().Add(-24*time.Hour)),
		"unsigned":        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + body[1] + ".",
		"changed":         body[0] + "." + body[1] + "x." + body[2],
		"two":             p.ana + " " + p.ana,
		"endless":         strings.Repeat("a", 8<<10),
		"not even ASCII":  "é",
		"somebody's name": anasAddress,
	}
}
