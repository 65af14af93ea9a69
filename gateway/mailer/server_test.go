package mailer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// smtpServer is a mail server on loopback: it speaks as much of SMTP (RFC 5321) as a
// sender needs, STARTTLS and AUTH PLAIN with it, and keeps what it was given.
type smtpServer struct {
	listener net.Listener
	tls      *tls.Config // nil: STARTTLS is not offered
	implicit bool
	// password of the user "ana"; empty: AUTH is not offered.
	password string
	// refuse answers a command that begins so, instead of taking it.
	refuse map[string]string

	mu    sync.Mutex
	mails []received
}

type received struct {
	encrypted, authenticated bool
	from, to, data           string
}

// startSMTP serves on a free port until the test is over.
func startSMTP(t *testing.T, s *smtpServer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.implicit {
		l = tls.NewListener(l, s.tls)
	}
	s.listener = l
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// serve is one connection.
func (s *smtpServer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // for a client that hangs
	c := textproto.NewConn(conn)
	say := func(lines ...string) {
		for _, line := range lines {
			_ = c.PrintfLine("%s", line)
		}
	}
	m := received{encrypted: s.implicit}
	say("220 mail.test ESMTP")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		if answer := s.refuse[strings.ToUpper(verb)]; answer != "" {
			say(answer)
			continue
		}
		switch strings.ToUpper(verb) {
		case "EHLO":
			lines := []string{"250-mail.test", "250-8BITMIME"}
			if s.tls != nil && !m.encrypted {
				lines = append(lines, "250-STARTTLS")
			}
			if s.password != "" {
				lines = append(lines, "250-AUTH PLAIN")
			}
			say(append(lines, "250 SMTPUTF8")...)
		case "STARTTLS":
			say("220 go ahead")
			conn = tls.Server(conn, s.tls)
			c = textproto.NewConn(conn)
			m.encrypted = true
		case "AUTH":
			secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if string(secret) != "\x00ana\x00"+s.password {
				say("535 5.7.8 ana, that is not your password")
				continue
			}
			m.authenticated = true
			say("235 welcome")
		case "MAIL":
			m.from = rest
			say("250 ok")
		case "RCPT":
			m.to = rest
			say("250 ok")
		case "DATA":
			say("354 go ahead")
			data, err := c.ReadDotBytes()
			if err != nil {
				return
			}
			m.data = string(data)
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default: // NOOP, RSET
			say("250 ok")
		}
	}
}

func (s *smtpServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

// certificate makes a server's certificate for 127.0.0.1 and what trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
