package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"kalami/gateway/token"
	"kalami/session/learn"
)

const (
	maxName  = 100
	maxEmail = 254
)

func (s *Server) accountRoutes() {
	s.handle(operation{
		method: http.MethodPost, path: "/auth/register", id: "register", tag: "accounts", class: unpaced,
		summary: "Make an account",
		takes:   []content{{shape: registerRequest{}}},
		gives:   []success{{status: http.StatusCreated, bodies: []content{{shape: userJSON{}}}}},
		fails:   []failure{{http.StatusBadRequest, "The e-mail address has an account."}},
	}, s.register)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/login", id: "login", tag: "accounts", class: unpaced,
		summary: "Sign in",
		takes:   []content{{mediaType: echo.MIMEApplicationForm, shape: loginRequest{}}, {mediaType: echo.MIMEMultipartForm, shape: loginRequest{}}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: tokenJSON{}}}}},
		fails:   []failure{{http.StatusUnauthorized, "Address or password is wrong."}},
	}, s.login)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/guest", id: "enterAsGuest", tag: "accounts", class: unpaced,
		summary: "Try without an account",
		takes:   []content{{shape: guestRequest{}}}, bodyOptional: true,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: tokenJSON{}}}}},
		fails: []failure{{http.StatusForbidden, "Guests are switched off here."}},
	}, s.guest)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/auth/me", id: "getMe", tag: "accounts", class: reading,
		summary: "Who the caller is", gives: []success{{status: http.StatusOK, bodies: []content{{shape: userJSON{}}}}},
	}, s.me)
}

// registerRequest is the body of POST /auth/register.
type registerRequest struct {
	Email          *string `json:"email"`
	Password       *string `json:"password"`
	NativeLanguage *string `json:"native_language"`
	Name           *string `json:"name"`
}

// loginRequest is the form of POST /auth/login.
type loginRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// guestRequest is the body of POST /auth/guest.
type guestRequest struct {
	NativeLanguage *string `json:"native_language"`
	Name           *string `json:"name"`
}

// Passwords hashes and verifies passwords, as [*token.Hasher] does and documents.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	// Verify takes the same time for an empty phc, which is never right.
	Verify(ctx context.Context, phc, password string) (bool, error)
	NeedsRehash(phc string) bool
}

var _ Passwords = (*token.Hasher)(nil)

// userJSON is a user as the API shows it.
type userJSON struct {
	ID             string    `json:"id"`
	Email          *string   `json:"email"` // null for guests
	NativeLanguage string    `json:"native_language"`
	Name           string    `json:"name"`
	Guest          bool      `json:"guest"`
	CreatedAt      time.Time `json:"created_at"`
}

func showUser(u learn.User) userJSON {
	j := userJSON{ID: u.ID, NativeLanguage: u.NativeLanguage, Name: u.Name, Guest: u.Guest, CreatedAt: u.CreatedAt.UTC()}
	if u.Email != "" {
		j.Email = &u.Email
	}
	return j
}

// tokenJSON answers a login.
type tokenJSON struct {
	AccessToken string   `json:"access_token"`
	TokenType   string   `json:"token_type"`
	ExpiresIn   int      `json:"expires_in"` // seconds
	User        userJSON `json:"user"`
}

// register answers POST /auth/register.
func (s *Server) register(c echo.Context) error {
	const op = "gateway.register"
	var in registerRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	u := learn.User{
		Email:          f.email("email", in.Email),
		NativeLanguage: f.nativeLanguage("native_language", in.NativeLanguage),
		Name:           f.name("name", in.Name),
	}
	password := f.newPassword("password", in.Password, u.Email)
	if err := f.err(op); err != nil {
		return err
	}
	if err := s.allowJoin(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	var err error
	if u.HashedPassword, err = s.opts.Passwords.Hash(ctx, password); err != nil {
		return err
	}
	u, err = s.opts.Users.CreateUser(ctx, u)
	if learn.KindOf(err) == learn.Conflict {
		return &apiError{status: http.StatusBadRequest, code: "email_taken",
			err: &learn.Error{Kind: learn.Conflict, Msg: "Email already registered", Op: op, Err: err}}
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, showUser(u))
}

// login answers POST /auth/login. It says the same, after the same work, whether the
// account is unknown or the password wrong.
func (s *Server) login(c echo.Context) error {
	const op = "gateway.login"
	username, password, err := loginForm(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var u learn.User
	email, ok := parseEmail(username)
	if err := s.allowLogin(c, email); err != nil {
		return err
	}
	if ok {
		u, err = s.opts.Users.UserByEmail(ctx, email)
		if err != nil && learn.KindOf(err) != learn.NotFound {
			return err
		}
	}
	right, err := s.opts.Passwords.Verify(ctx, u.HashedPassword, password)
	if err != nil {
		return err
	}
	if !right {
		return learn.Errorf(learn.Unauthorised, op, "Invalid email or password")
	}
	if s.opts.Passwords.NeedsRehash(u.HashedPassword) {
		if err := s.rehash(ctx, u.ID, password); err != nil {
			return err
		}
	}
	return s.signIn(c, u)
}

// loginForm reads the two fields of a form, url-encoded or multipart. Only the body
// counts: credentials in a URL would end in access logs.
func loginForm(c echo.Context) (username, password string, err error) {
	const op = "gateway.loginForm"
	r := c.Request()
	if strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEMultipartForm) {
		err = r.ParseMultipartForm(maxBody)
		if r.MultipartForm != nil {
			defer func() { err = errors.Join(err, r.MultipartForm.RemoveAll()) }()
		}
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return "", "", readError(op, err)
	}
	username, password = strings.TrimSpace(r.PostForm.Get("username")), r.PostForm.Get("password")
	var f faults
	if username == "" {
		f.add("username", "is required, in a form-encoded body")
	}
	if password == "" {
		f.add("password", "is required, in a form-encoded body")
	}
	return username, password, f.err(op)
}

// rehash stores the password again at today's costs. Being too busy for it just now is
// no reason to refuse a login: the next one will do it.
func (s *Server) rehash(ctx context.Context, userID, password string) error {
	hash, err := s.opts.Passwords.Hash(ctx, password)
	if learn.KindOf(err) == learn.TooMany {
		return nil
	}
	if err != nil {
		return err
	}
	return s.opts.Users.SetPassword(ctx, userID, hash)
}

// guest answers POST /auth/guest: a user without e-mail and password, who can be
// reached by this token alone.
func (s *Server) guest(c echo.Context) error {
	const op = "gateway.guest"
	if s.opts.NoGuests {
		return &apiError{code: "guests_off", err: learn.Errorf(learn.Forbidden, op, "Trying without an account is switched off here")}
	}
	var in guestRequest
	if err := decodeOptionalJSON(c, &in); err != nil {
		return err
	}
	var f faults
	u := learn.User{
		NativeLanguage: f.nativeLanguage("native_language", in.NativeLanguage),
		Name:           f.name("name", in.Name),
		Guest:          true,
	}
	if err := f.err(op); err != nil {
		return err
	}
	if err := s.allowJoin(c); err != nil {
		return err
	}
	u, err := s.opts.Users.CreateUser(c.Request().Context(), u)
	if err != nil {
		return err
	}
	return s.signIn(c, u)
}

// me answers GET /auth/me.
func (s *Server) me(c echo.Context, who caller) error {
	return c.JSON(http.StatusOK, showUser(who.user))
}

// signIn answers with a fresh access token. New tokens are for the personal tenant.
func (s *Server) signIn(c echo.Context, u learn.User) error {
	raw, _, err := s.opts.Tokens.Issue(u.ID, learn.PersonalTenant, u.TokenVersion, time.Now())
	if err != nil {
		return err
	}
	c.Set(keyUserID, u.ID)
	return c.JSON(http.StatusOK, tokenJSON{
		AccessToken: raw, TokenType: "bearer",
		ExpiresIn: int(s.opts.Tokens.Lifetime().Seconds()), User: showUser(u),
	})
}

// email checks a required e-mail address.
func (f *faults) email(field string, value *string) string {
	if value == nil || strings.TrimSpace(*value) == "" {
		f.add(field, "is required")
		return ""
	}
	email, ok := parseEmail(strings.TrimSpace(*value))
	if !ok {
		f.add(field, "is not a valid e-mail address")
	}
	return email
}

// newPassword checks a password that somebody chooses.
func (f *faults) newPassword(field string, value *string, email string) string {
	if value == nil || *value == "" {
		f.add(field, "is required")
		return ""
	}
	if fault := token.CheckPassword(*value); fault != "" {
		f.add(field, "%s", fault)
	} else if strings.EqualFold(*value, email) {
		f.add(field, "must not be the e-mail address")
	}
	return *value
}

// name checks an optional name for people.
func (f *faults) name(field string, value *string) string {
	if value == nil {
		return ""
	}
	return f.text(field, *value, maxName)
}

// nativeLanguage checks an optional language tag and returns its primary subtag; "en"
// when it is left out. Any language may be somebody's native one.
func (f *faults) nativeLanguage(field string, value *string) string {
	if value == nil {
		return "en"
	}
	tag := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(*value), "_", "-"))
	primary, _, _ := strings.Cut(tag, "-")
	ok := len(tag) <= 35 && (len(primary) == 2 || len(primary) == 3)
	for _, r := range primary {
		ok = ok && r >= 'a' && r <= 'z'
	}
	if !ok {
		f.add(field, `must be a language tag such as "en"`)
	}
	return primary
}

// parseEmail checks an address and returns it normalised and with its domain in lower
// case. Normalising makes one address of the ways in which Unicode spells the same
// letters, so that nobody registers somebody's address a second time in full-width
// letters; what has no look of its own, such as a zero-width space, is refused.
func parseEmail(s string) (string, bool) {
	if len(s) > maxEmail || !utf8.ValidString(s) {
		return "", false
	}
	s = norm.NFKC.String(s)
	if strings.ContainsFunc(s, notInEmail) {
		return "", false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s { // a display name, a comment, quotes
		return "", false
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	labels := strings.Split(domain, ".")
	if len(local) > 64 || len(labels) < 2 {
		return "", false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, notInHostname) {
			return "", false
		}
	}
	return local + "@" + domain, true
}

// notInEmail holds for what no address contains outside ASCII: anything but letters,
// their marks and digits, those of them that are never seen, and letters whose lower case is ASCII, such as the dotted
// capital I, which would make another address the same as this one.
func notInEmail(r rune) bool {
	return r >= utf8.RuneSelf && (!unicode.In(r, unicode.L, unicode.M, unicode.Nd) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		unicode.ToLower(r) < utf8.RuneSelf)
}

// notInHostname holds for what no label of a domain contains; letters outside ASCII
// are those of internationalised names.
func notInHostname(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
		return false
	}
	return r < 0x80
}
