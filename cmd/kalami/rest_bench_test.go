//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// restClients are the learners that call at once; those who sign up or in are fewer,
	// since each hash of a password takes a core for some 25 ms.
	restClients, restSigning = 50, 4
	// restPace is how often, together, the paced clients call: as some thousand phones do.
	restPace = 500 // a second
)

// BenchmarkREST calls the routes of a whole server over loopback, on each backend:
// "alone", by one client, which shows what a call takes; "flat
// out", by 50 clients that call again as soon as they are answered, which shows how much it
// does; and "paced", 500 calls a second spread over them, which shows how long one waits.
// A paced call's time begins when it was due. Server, clients and, but for Postgres and
// Redis, databases share the process, whose processor time is told: unlike the rest it
// hardly depends on what else the machine does.
func BenchmarkREST(b *testing.B) {
	for _, on := range backends() {
		b.Run(on.name, func(b *testing.B) {
			h := openDemo(b, on, "KALAMI_RATE_LIMITS=false", "KALAMI_LOG_LEVEL=ERROR")
			callers := newRestCallers(b, h.url())
			for _, r := range restRoutes() {
				b.Run(r.name, func(b *testing.B) {
					if r.signing {
						b.Run("flat_out", func(b *testing.B) { restRun(b, callers[:restSigning], 0, r.call) })
						return
					}
					b.Run("alone", func(b *testing.B) { restRun(b, callers[:1], 0, r.call) })
					b.Run("flat_out", func(b *testing.B) { restRun(b, callers, 0, r.call) })
					b.Run("paced", func(b *testing.B) { restRun(b, callers, time.Second/restPace, r.call) })
				})
			}
		})
	}
}

// restRoute is a call that is measured.
type restRoute struct {
	name    string
	signing bool // hashes a password
	call    func(c *restCaller, i int64) error
}

func restRoutes() []restRoute {
	const sessions = "/conversations/sessions"
	return []restRoute{
		{name: "profile_read", call: func(c *restCaller, _ int64) error {
			return c.call("GET", "/users/profiles/"+c.profile, "", http.StatusOK, nil)
		}},
		{name: "profile_list", call: func(c *restCaller, _ int64) error {
			return c.call("GET", "/users/profiles", "", http.StatusOK, nil)
		}},
		{name: "profile_write", call: func(c *restCaller, i int64) error {
			return c.call("PATCH", "/users/profiles/"+c.profile, fmt.Sprintf(`{"patience_ms":%d}`, 800+i%3000), http.StatusOK, nil)
		}},
		{name: "session_start", call: func(c *restCaller, _ int64) error {
			return c.call("POST", sessions, `{"profile_id":"`+c.profile+`"}`, http.StatusCreated, nil)
		}},
		{name: "session_read", call: func(c *restCaller, _ int64) error {
			return c.call("GET", sessions+"/"+c.session, "", http.StatusOK, nil)
		}},
		{name: "session_list", call: func(c *restCaller, _ int64) error {
			return c.call("GET", sessions, "", http.StatusOK, nil)
		}},
		{name: "statistics", call: func(c *restCaller, _ int64) error {
			return c.call("GET", "/users/stats", "", http.StatusOK, nil)
		}},
		{name: "me", call: func(c *restCaller, _ int64) error {
			return c.call("GET", "/auth/me", "", http.StatusOK, nil)
		}},
		{name: "login", signing: true, call: func(c *restCaller, _ int64) error { return c.login() }},
		{name: "register", signing: true, call: func(c *restCaller, _ int64) error {
			return c.register(fmt.Sprintf("%d@example.org", c.newcomers.Add(1)))
		}},
	}
}

// restCaller is a learner with a profile and a session, and a connection that stays open.
type restCaller struct {
	http                    *http.Client
	base, email             string
	token, profile, session string
	newcomers               *atomic.Int64
}

const restPassword = "a password for benchmarks"

// newRestCallers registers the learners, and gives each 20 sessions to list.
func newRestCallers(b *testing.B, base string) []*restCaller {
	b.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: restClients, DisableCompression: true}}
	b.Cleanup(client.CloseIdleConnections)
	var newcomers atomic.Int64
	callers := make([]*restCaller, restClients)
	for i := range callers {
		c := &restCaller{http: client, base: base, email: fmt.Sprintf("caller-%d@example.org", i), newcomers: &newcomers}
		callers[i] = c
		if err := c.settle(); err != nil {
			b.Fatal(err)
		}
	}
	return callers
}

func (c *restCaller) settle() error {
	if err := c.register(c.email); err != nil {
		return err
	}
	if err := c.login(); err != nil {
		return err
	}
	var made struct{ ID string }
	if err := c.call("POST", "/users/profiles", `{"target_language":"es"}`, http.StatusCreated, &made); err != nil {
		return err
	}
	c.profile = made.ID
	for range 20 {
		if err := c.call("POST", "/conversations/sessions", `{"profile_id":"`+c.profile+`"}`, http.StatusCreated, &made); err != nil {
			return err
		}
		c.session = made.ID
		if err := c.call("POST", "/conversations/sessions/"+made.ID+"/end", "", http.StatusOK, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *restCaller) register(email string) error {
	return c.call("POST", "/auth/register", `{"email":"`+email+`","password":"`+restPassword+`"}`, http.StatusCreated, nil)
}

func (c *restCaller) login() error {
	form := url.Values{"username": {c.email}, "password": {restPassword}}
	r, err := c.http.PostForm(c.base+"/auth/login", form)
	if err != nil {
		return err
	}
	var in struct {
		AccessToken string `json:"access_token"`
	}
	if err := restRead(r, http.StatusOK, &in); err != nil {
		return err
	}
	c.token = in.AccessToken
	return nil
}

// call makes one request and reads its answer into out, which may be nil.
func (c *restCaller) call(method, path, body string, want int, out any) error {
	r, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	return restRead(answer, want, out)
}

func restRead(r *http.Response, want int, out any) error {
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode != want {
		return fmt.Errorf("%s %s: status %d: %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// restRun has the callers make b.N calls together. With an interval, call i is due i
// intervals after the first, whoever of them is free then makes it, and its time begins
// when it was due; without one, each calls as soon as it is free.
func restRun(b *testing.B, callers []*restCaller, interval time.Duration, call func(*restCaller, int64) error) {
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	start, used := time.Now(), cpuTime()
	for _, c := range callers {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				due := time.Now()
				if interval > 0 {
					due = start.Add(time.Duration(i) * interval)
					time.Sleep(time.Until(due))
				}
				if err := call(c, i); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(due)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "calls/s")
	b.ReportMetric(float64((cpuTime()-used).Microseconds())/float64(b.N), "cpu-µs/call")
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[(b.N-1)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
	}
}
