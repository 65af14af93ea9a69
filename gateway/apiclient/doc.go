// Package apiclient is a typed client of Kalami's REST API for Go programs. It is generated
// from the server's own description, /openapi-3.0.json, and a test keeps it equal to what
// the server describes.
//
// [NewClientWithResponses] takes the server's address. Each operation of the description is
// a method that takes a context, parameters and body, and returns a response with the body
// decoded by status: JSON200, JSON201 and so on, nil when the answer had another. Failures
// of the API are no Go errors: they are in JSONDefault, an [Error], which is nil when all
// went well.
// The client is safe for concurrent use and keeps nothing but its [net/http.Client].
//
// Signing in is a form; the token that it gives goes into each later request by a
// [RequestEditorFn]:
//
//	c, err := apiclient.NewClientWithResponses("http://localhost:8000")
//	in, err := c.LoginWithFormdataBodyWithResponse(ctx, apiclient.LoginRequest{Username: email, Password: password})
//	token := in.JSON200.AccessToken
//	signed := func(_ context.Context, r *http.Request) error {
//		r.Header.Set("Authorization", "Bearer "+token)
//		return nil
//	}
//	profiles, err := c.ListProfilesWithResponse(ctx, signed)
package apiclient

//go:generate go test kalami/gateway -run TestClientIsUpToDate -update
