package learner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"kalami/session"
)

// Account is a learner who is signed in at a server.
type Account struct {
	base   string
	http   *http.Client
	access string
}

// Guest makes a guest's account at the server whose address is base ("http://127.0.0.1:8000").
func Guest(ctx context.Context, base, nativeLanguage string) (*Account, error) {
	a := &Account{base: strings.TrimSuffix(base, "/"), http: &http.Client{Timeout: 30 * time.Second}}
	var login struct {
		AccessToken string `json:"access_token"`
	}
	err := a.post(ctx, "/auth/guest", map[string]string{"native_language": nativeLanguage}, &login)
	a.access = login.AccessToken
	return a, err
}

// Profile makes the profile with which the learner learns a language at a level, and returns its id.
func (a *Account) Profile(ctx context.Context, language, level string) (string, error) {
	var profile struct {
		ID string `json:"id"`
	}
	err := a.post(ctx, "/users/profiles", map[string]string{"target_language": language, "cefr_level": level}, &profile)
	return profile.ID, err
}

// Wish is what a ticket is asked for.
type Wish struct {
	ProfileID      string          `json:"profile_id"`
	ConversationID string          `json:"conversation_id,omitempty"`
	Topic          string          `json:"topic,omitempty"`
	Session        json.RawMessage `json:"session,omitempty"`
}

// Ticket buys a ticket and returns it with the voice socket's address.
func (a *Account) Ticket(ctx context.Context, w Wish) (ticket, url string, err error) {
	var answer struct {
		Ticket  string         `json:"ticket"`
		URL     string         `json:"url"`
		Session session.Config `json:"session"`
	}
	err = a.post(ctx, "/v1/voice/tickets", w, &answer)
	return answer.Ticket, answer.URL, err
}

// Message is one entry of a conversation as the server's history has it.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// StatusError is a request that the server refused.
type StatusError struct {
	Status int
	// Detail is the server's explanation.
	Detail string
	// RetryAfter is the wait that the server asked for, 0 when it named none.
	RetryAfter time.Duration
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Detail) }

// post sends a JSON object and decodes the answer. Errors: *StatusError when the server refused.
func (a *Account) post(ctx context.Context, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if a.access != "" {
		r.Header.Set("Authorization", "Bearer "+a.access)
	}
	res, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	const most = 1 << 20
	data, err = io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		refused := &StatusError{Status: res.StatusCode, Detail: http.StatusText(res.StatusCode)}
		var detail struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(data, &detail) == nil && detail.Detail != "" {
			refused.Detail = detail.Detail
		}
		refused.RetryAfter = retryAfter(res)
		return fmt.Errorf("%s: %w", path, refused)
	}
	return json.Unmarshal(data, answer)
}

// Close frees the account's idle connections.
func (a *Account) Close() { a.http.CloseIdleConnections() }
