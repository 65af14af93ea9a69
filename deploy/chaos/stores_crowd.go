package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// crowd is how many clients ask each node for the same all the time.
	crowd = 150
	// crowdWait is how long a request may take, whatever the database does.
	crowdWait = 15 * time.Second
)

// postgresCrowd holds what requests need and lessons do not, while a crowd of requests takes
// every connection that it can get: row 22. Each of them is answered, if only to come again
// later, and no learner waits longer for an acknowledgement.
func postgresCrowd() fault {
	return fault{name: "pg-crowd", rows: []int{22}, takes: 12 * time.Second, short: 1, long: 3, run: func(ctx context.Context, t *trial, times int) (int, error) {
		lasts := 30 * time.Second
		if t.opts.short {
			lasts = 2 * time.Second
		}
		for range times {
			quiet := t.storedCounts()
			if err := sleep(ctx, lasts/2); err != nil {
				return 0, err
			}
			before := t.storedTimes(quiet)
			access, err := guest(ctx, t.front.url())
			if err != nil {
				return 0, err
			}
			release, err := t.postgres.hold(ctx, "LOCK TABLE user_vocabulary IN ACCESS EXCLUSIVE MODE")
			if err != nil {
				return 0, err
			}
			busy, told := t.storedCounts(), t.count(func(n *notes) int { return n.storing.told })
			answers, err := t.press(ctx, access, lasts)
			if err := cmp.Or(err, release()); err != nil {
				return 0, err
			}
			t.figuref("pg-crowd: %s; acknowledged within %s before and %s meanwhile", answers, spread(before), spread(t.storedTimes(busy)))
			answers.judge(t)
			for i, n := range t.count(func(n *notes) int { return n.storing.told }) {
				if n != told[i] && !t.opts.short {
					t.wrongf("pg-crowd: %s was told that storing takes longer, for the sake of requests", t.talkers[i].name)
				}
			}
			t.settle(ctx, "pg-crowd")
		}
		return times, nil
	}}
}

// answers are what a crowd was told.
type answers struct {
	mu      sync.Mutex
	status  map[int]int
	took    []time.Duration
	without int // refusals that do not say when to come again
	lost    int // no answer
}

// String implements [fmt.Stringer].
func (a *answers) String() string {
	slices.Sort(a.took)
	return fmt.Sprintf("%d requests answered %v, %s", len(a.took), a.status, spread(a.took))
}

// judge notes what must not happen.
func (a *answers) judge(t *trial) {
	for status, n := range a.status {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.wrongf("pg-crowd: %d requests were answered with %d", n, status)
		}
	}
	if a.without > 0 {
		t.wrongf("pg-crowd: %d refusals do not say when to come again", a.without)
	}
	if a.lost > 0 {
		t.wrongf("pg-crowd: %d requests had no answer within %v", a.lost, crowdWait)
	}
	if len(a.took) == 0 {
		t.wrongf("pg-crowd: nobody was answered")
	}
}

// press lets a crowd ask every node for some time.
func (t *trial) press(ctx context.Context, access string, lasts time.Duration) (*answers, error) {
	client := &http.Client{Timeout: crowdWait, Transport: &http.Transport{MaxIdleConnsPerHost: crowd}}
	defer client.CloseIdleConnections()
	a := &answers{status: map[int]int{}}
	over := time.Now().Add(lasts)
	var all sync.WaitGroup
	for _, n := range t.nodes {
		for range crowd {
			all.Go(func() {
				for time.Now().Before(over) && ctx.Err() == nil {
					a.ask(ctx, client, "http://"+n.address()+"/users/profiles", access)
					_ = sleep(ctx, 100*time.Millisecond) // the loop ends with ctx
				}
			})
		}
	}
	all.Wait()
	return a, context.Cause(ctx)
}

// ask asks once and notes the answer.
func (a *answers) ask(ctx context.Context, client *http.Client, url, access string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	r.Header.Set("Authorization", "Bearer "+access)
	began := time.Now()
	res, err := client.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close() // it was only read
	}
	took := time.Since(began)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.took = append(a.took, took)
		a.status[res.StatusCode]++
		if res.StatusCode != http.StatusOK && res.Header.Get("Retry-After") == "" {
			a.without++
		}
	case ctx.Err() == nil:
		a.lost++
	}
}

// guest makes a guest's account with a profile, and returns its access token.
func guest(ctx context.Context, base string) (access string, err error) {
	var login struct {
		AccessToken string `json:"access_token"`
	}
	if err := post(ctx, base+"/auth/guest", "", `{"native_language":"en"}`, &login); err != nil {
		return "", err
	}
	var profile struct{}
	return login.AccessToken, post(ctx, base+"/users/profiles", login.AccessToken, `{"target_language":"en","cefr_level":"B2"}`, &profile)
}

// post sends JSON and reads the answer.
func post(ctx context.Context, url, access, body string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if access != "" {
		r.Header.Set("Authorization", "Bearer "+access)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(answer)
}
