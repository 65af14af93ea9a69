package deepgram

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
)

// handshakeClient makes the default HTTP client. A connection that was not
// upgraded is not kept: the next stream may be minutes away.
func handshakeClient() *http.Client {
	dialer := &net.Dialer{KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       dialer.DialContext,
			DisableKeepAlives: true,
		},
		// A redirected handshake would carry the key to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial opens the socket and makes a stream of it.
func (c *Client) dial(ctx context.Context, path string, q url.Values, opt providers.ListenOptions, d dialect) (providers.RecognitionStream, error) {
	header := http.Header{"User-Agent": {"kalami"}}
	if c.opt.Key != "" {
		header.Set("Authorization", "Token "+c.opt.Key)
	}
	dialCtx, cancel := context.WithTimeout(ctx, c.opt.DialTimeout)
	defer cancel()
	// The library does not show the socket that it runs on, which is needed for
	// write deadlines and for closing in spite of a peer that does not read.
	var socket net.Conn
	dialCtx = httptrace.WithClientTrace(dialCtx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { socket = i.Conn },
	})
	u := strings.TrimSuffix(c.opt.BaseURL, "/") + path + "?" + q.Encode()
	conn, resp, err := websocket.Dial(dialCtx, u, &websocket.DialOptions{
		HTTPClient: c.opt.HTTPClient, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled,
	})
	switch {
	case err == nil:
		c.opt.Log.Debug("recognition stream opened", "path", path, "model", q.Get("model"), "language", opt.Language,
			"request_id", resp.Header.Get("dg-request-id"))
		return open(conn, socket, resp.Header.Get("dg-request-id"), d, c.opt.WriteTimeout, chunkBytes(opt)), nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, refused("listen", resp, opt.Keyterms)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "listen", Detail: "no answer within " + c.opt.DialTimeout.String()}
	}
	return nil, &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "listen", Detail: "handshake", Err: providers.NetworkCause(err)}
}

// refusal is the body of a refused handshake, in the older and the newer form.
type refusal struct {
	Code      string `json:"err_code"`
	Msg       string `json:"err_msg"`
	Category  string `json:"category"`
	Message   string `json:"message"`
	Details   string `json:"details"`
	RequestID string `json:"request_id"`
}

// maxRefusal bounds what is read of an error's body, in bytes.
const maxRefusal = 4 << 10

// refused makes the error of an answer that is not what was asked for, and reads its
// body. private is what the vendor may quote and the error must not.
func refused(op string, resp *http.Response, private []string) error {
	var r refusal
	if body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)); err == nil {
		_ = json.Unmarshal(body, &r) // proxies answer in HTML; then the header and status have to do
	}
	e := &providers.Error{
		Kind: providers.KindOfStatus(resp.StatusCode), Vendor: vendor, Op: op,
		RequestID:  first(resp.Header.Get("dg-request-id"), r.RequestID),
		RetryAfter: providers.RetryAfter(resp.Header),
	}
	code := first(r.Code, r.Category)
	if code == "ASR_PAYMENT_REQUIRED" || code == "INSUFFICIENT_CREDITS" {
		e.Kind = providers.Quota
	}
	text := first(resp.Header.Get("dg-error"), r.Msg, r.Message, r.Details)
	for _, word := range private {
		if word != "" && strings.Contains(text, word) {
			text = "" // the vendor quotes the request; the code and request id must do
		}
	}
	e.Detail = short(strings.TrimSpace(resp.Status + " " + code + " " + text))
	return e
}

// first returns the first of values that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
