package mailer

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// letter has what mails trip over: letters outside ASCII, a line that begins with a
// dot, and one longer than SMTP's.
func letter() Message {
	return Message{To: "ana@example.org", Subject: "Contraseña nueva — Kalami",
		Text: "Hola, Ana:\n\n.un punto\n" + strings.Repeat("largo ", 300) + "\nhttps://kalami.example/#reset=km_AAAAAAAAAAAAAAAAAAAAAA\n"}
}

// connect starts a server and returns a client of it.
func connect(t *testing.T, s *smtpServer, url string, trust *tls.Config) *SMTP {
	t.Helper()
	client, err := NewSMTP(SMTPOptions{URL: fmt.Sprintf(url, startSMTP(t, s)), From: "Kalami <no-reply@kalami.example>", TLS: trust})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A mail arrives whole by each way to the server.
func TestSend(t *testing.T) {
	server, trust := certificate(t)
	for name, c := range map[string]struct {
		server                   *smtpServer
		url                      string
		encrypted, authenticated bool
	}{
		"STARTTLS":              {&smtpServer{tls: server, password: "p@ss word"}, "smtp://ana:p%%40ss%%20word@%s", true, true},
		"TLS from the begin":    {&smtpServer{tls: server, implicit: true, password: "secret"}, "smtps://ana:secret@%s", true, true},
		"opportunistic":         {&smtpServer{tls: server}, "smtp://%s?tls=opportunistic", true, false},
		"opportunistic without": {&smtpServer{}, "smtp://%s?tls=opportunistic", false, false},
		"a relay of one's own":  {&smtpServer{}, "smtp://%s?tls=none", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := connect(t, c.server, c.url, trust)
			for range 2 {
				if err := client.Send(t.Context(), letter()); err != nil {
					t.Fatal(err)
				}
			}
			got := c.server.received()
			if len(got) != 2 || got[0].encrypted != c.encrypted || got[0].authenticated != c.authenticated ||
				!strings.HasPrefix(got[0].from, "FROM:<no-reply@kalami.example>") || got[0].to != "TO:<ana@example.org>" {
				t.Fatalf("received %d mails, the first %+v", len(got), got[0])
			}
			checkMail(t, got[0].data, got[1].data)
		})
	}
}

// checkMail reads a mail as its recipient's program does.
func checkMail(t *testing.T, raw, second string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || m.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		t.Fatalf("%v: %s", err, raw)
	}
	want := letter()
	if subject != want.Subject || strings.ReplaceAll(string(text), "\r\n", "\n") != want.Text {
		t.Errorf("subject %q, text %q", subject, text)
	}
	if m.Header.Get("From") != `"Kalami" <no-reply@kalami.example>` || m.Header.Get("To") != "<ana@example.org>" ||
		m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Date") == "" || m.Header.Get("User-Agent") != "" {
		t.Errorf("headers %v", m.Header)
	}
	other, err := mail.ReadMessage(strings.NewReader(second))
	if err != nil {
		t.Fatal(err)
	}
	if id := m.Header.Get("Message-ID"); !strings.HasSuffix(id, "@kalami.example>") || id == other.Header.Get("Message-ID") {
		t.Errorf("message id %q", id)
	}
}

// What fails says the code and neither the recipient nor the password; nothing secret
// goes over a line that is not encrypted.
func TestSendFails(t *testing.T) {
	server, trust := certificate(t)
	for name, c := range map[string]struct {
		server *smtpServer
		url    string
		trust  *tls.Config
		want   string
	}{
		"the recipient is refused": {&smtpServer{refuse: map[string]string{"RCPT": "550 5.1.1 ana@example.org is unknown here"}}, "smtp://%s?tls=none", nil, "code 550"},
		"the mail is refused":      {&smtpServer{refuse: map[string]string{"DATA": "554 5.7.1 ana@example.org sends spam"}}, "smtp://%s?tls=none", nil, "code 554"},
		"a wrong password":         {&smtpServer{tls: server, password: "right"}, "smtp://ana:wrong@%s", trust, "code 535"},
		"no encryption":            {&smtpServer{password: "secret"}, "smtp://ana:secret@%s", trust, "STARTTLS"},
		"a password in the open":   {&smtpServer{password: "secret"}, "smtp://ana:secret@%s?tls=none", nil, "auth"},
		"a stranger's certificate": {&smtpServer{tls: server}, "smtp://%s", nil, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			err := connect(t, c.server, c.url, c.trust).Send(t.Context(), letter())
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.want)) {
				t.Fatalf("%v, want something about %q", err, c.want)
			}
			for _, secret := range []string{"ana@", "secret", "wrong", "km_"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells %q: %v", secret, err)
				}
			}
			if n := len(c.server.received()); n != 0 {
				t.Errorf("%d mails arrived", n)
			}
		})
	}
	client := connect(t, &smtpServer{}, "smtp://%s?tls=none", nil)
	if err := client.Send(t.Context(), Message{To: "ana@example.org, eve@example.org", Subject: "x"}); err == nil {
		t.Error("a mail to two addresses was sent")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Send(ctx, letter()); err == nil {
		t.Error("a mail was sent after its context had ended")
	}
}

func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"smtp://user:password@mail.example:587": "",
		"smtps://user:password@mail.example":    "",
		"smtp://mail.example?tls=opportunistic": "",
		"smtp://127.0.0.1:1025/?tls=none":       "",
		"smtp://[::1]:25?tls=none":              "",
		"smtp://mail.example?tls=required":      "",
		"":                                      "must start",
		"mail.example:587":                      "must start",
		"http://mail.example":                   "must start",
		"smtp://":                               "must name a host",
		"smtp://user@mail.example":              "both",
		"smtp://:password@mail.example":         "both",
		"smtp://mail.example:0":                 "port",
		"smtp://mail.example:99999":             "port",
		"smtp://mail.example/path":              "must end",
		"smtp://mail.example#x":                 "must end",
		"smtp://mail.example?tls=never":         "tls=required",
		"smtps://mail.example?tls=none":         "always encrypted",
		"smtp://mail.example?tls=none&x=1":      "one parameter",
		"smtp://mail.example?tls=none&tls=none": "one parameter",
		"smtp://user:p%ZZ@mail.example":         "is not a URL",
	} {
		err := CheckURL(url)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "password@")) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for name, o := range map[string]SMTPOptions{
		"no sender": {URL: "smtp://mail.example"}, "no URL": {From: "a@b.example"}, "a word": {URL: "smtp://mail.example", From: "Kalami"},
	} {
		if _, err := NewSMTP(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// FuzzCheckURL looks for panics and for URLs that are accepted and repeat in errors.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"smtp://u:p@h:25?tls=none", "smtps://h", "smtp://[::1]:25", "smtp://h?tls=%zz", "smtp://u:%00@h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckURL(s) != nil {
			return
		}
		if _, err := NewSMTP(SMTPOptions{URL: s, From: "a@b.example"}); err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("checked, then refused: %v", err)
		}
	})
}

// An outbox keeps the latest fifty.
func TestOutbox(t *testing.T) {
	box := &Outbox{}
	if got := box.Kept(); got == nil || len(got) != 0 {
		t.Errorf("an empty outbox has %v", got)
	}
	for i := range keptMessages + 5 {
		if err := box.Send(t.Context(), Message{To: fmt.Sprintf("u%d@example.org", i), Subject: "s", Text: "t"}); err != nil {
			t.Fatal(err)
		}
	}
	got := box.Kept()
	if len(got) != keptMessages || got[0].To != "u54@example.org" || got[keptMessages-1].To != "u5@example.org" || got[0].At.IsZero() {
		t.Errorf("%d kept, from %v to %v", len(got), got[0], got[len(got)-1])
	}
}
