package main

import (
	"context"
	"net/http"
	"testing"

	"kalami/gateway/apiclient"
	"kalami/providers/simulate"
)

// A program that knows the generated client alone makes an account, a profile and a
// session, and says something to the tutor.
func TestGeneratedClient(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := apiclient.NewClientWithResponses(h.url(), apiclient.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, name := t.Context(), "Ana"
	registered, err := c.RegisterWithResponse(ctx, apiclient.RegisterRequest{Email: "ana@example.org", Password: "a good long one", Name: &name})
	if err != nil || registered.JSON201 == nil || registered.JSON201.Name != name {
		t.Fatalf("register: %v, %+v", err, registered)
	}
	in, err := c.LoginWithFormdataBodyWithResponse(ctx, apiclient.LoginRequest{Username: "ana@example.org", Password: "a good long one"})
	if err != nil || in.JSON200 == nil {
		t.Fatalf("login: %v, %+v", err, in)
	}
	signed := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+in.JSON200.AccessToken)
		return nil
	}
	profile, err := c.CreateProfileWithResponse(ctx, apiclient.ProfileRequest{TargetLanguage: "es"}, signed)
	if err != nil || profile.JSON201 == nil || profile.JSON201.CefrLevel != "A1" {
		t.Fatalf("profile: %v, %+v", err, profile)
	}
	again, err := c.CreateProfileWithResponse(ctx, apiclient.ProfileRequest{TargetLanguage: "es"}, signed)
	if err != nil || again.JSONDefault == nil || again.JSONDefault.Code != "profile_exists" || again.StatusCode() != http.StatusBadRequest {
		t.Fatalf("the same profile again: %v, %+v", err, again)
	}
	session, err := c.StartSessionWithResponse(ctx, apiclient.StartRequest{ProfileId: profile.JSON201.Id}, signed)
	if err != nil || session.JSON201 == nil || session.JSON201.ProfileId != profile.JSON201.Id {
		t.Fatalf("session: %v, %+v", err, session)
	}
	said, silent := "Yo soy muy cansado porque trabajo mucho.", false
	turn, err := c.SendTextWithResponse(ctx, session.JSON201.Id, apiclient.TextRequest{Text: said, GenerateAudio: &silent}, signed)
	if err != nil || turn.JSON200 == nil || turn.JSON200.UserText != said || turn.JSON200.AssistantText == "" {
		t.Fatalf("turn: %v, %+v", err, turn)
	}
	history, err := c.ListMessagesWithResponse(ctx, session.JSON201.Id, nil, signed)
	if err != nil || history.JSON200 == nil || len(*history.JSON200) != 2 || (*history.JSON200)[0].Content != said {
		t.Fatalf("messages: %v, %+v", err, history)
	}
}
