package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

func (s *Server) accountRoutes() {
	user := []success{{status: http.StatusOK, bodies: []content{{shape: userJSON{}}}}}
	s.handle(operation{
		method: http.MethodPost, path: "/auth/register", id: "register", tag: "accounts", class: unpaced,
		summary: "Make an account",
		about: "An account is not signed in by being made: `POST /auth/login` follows. Where addresses are to be " +
			"verified, a mail with a link goes out.",
		takes: []content{{shape: registerRequest{}}},
		gives: []success{{status: http.StatusCreated, bodies: []content{{shape: userJSON{}}}}},
		fails: []failure{{http.StatusBadRequest, "The e-mail address has an account."}},
	}, s.register)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/guest", id: "enterAsGuest", tag: "accounts", class: unpaced,
		summary: "Try without an account",
		about:   "A guest can be reached by these tokens alone: whoever loses them begins anew.",
		takes:   []content{{shape: guestRequest{}}}, bodyOptional: true,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: tokenJSON{}}}}},
		fails: []failure{{http.StatusForbidden, "Guests are switched off here."}},
	}, s.guest)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/auth/me", id: "getMe", tag: "accounts", class: reading,
		summary: "Who the caller is", gives: user,
	}, s.me)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/auth/me", id: "updateMe", tag: "accounts", class: writing,
		summary: "Change name, languages or time zone",
		about:   "What is left out stays as it is; a field that does not exist is refused. The time zone says when the caller's days begin, which streaks count.",
		takes:   []content{{shape: meRequest{}}}, gives: user,
	}, s.patchMe)
	s.handleLearner(operation{
		method: http.MethodDelete, path: "/auth/me", id: "deleteMe", tag: "accounts", class: writing, timeout: erasureTimeout,
		summary: "Erase the caller's account",
		about: "Everything that is the caller's is deleted for good: profiles, conversations, vocabulary, and the account. " +
			"Open conversations end and every token dies. An account with a password needs it.",
		takes: []content{{shape: deletionRequest{}}}, bodyOptional: true,
		gives: []success{{status: http.StatusNoContent}},
		fails: []failure{{http.StatusForbidden, "The password is wrong."}},
	}, s.deleteMe)
}

// registerRequest is the body of POST /auth/register.
type registerRequest struct {
	Email          *string `json:"email" required:"true" format:"email" example:"ana@example.org"`
	Password       *string `json:"password" required:"true" doc:"8 to 128 characters, and not one of the most common ones." example:"a good long one"`
	NativeLanguage *string `json:"native_language,omitempty" doc:"BCP 47 tag; \"en\" when left out." example:"pt"`
	Name           *string `json:"name,omitempty" example:"Ana"`
}

// guestRequest is the body of POST /auth/guest.
type guestRequest struct {
	NativeLanguage *string `json:"native_language,omitempty" doc:"BCP 47 tag; \"en\" when left out." example:"pt"`
	Name           *string `json:"name,omitempty" example:"Ana"`
}

// meRequest is the body of PATCH /auth/me.
type meRequest struct {
	Name           optional[string] `json:"name,omitempty" doc:"Null takes it away." example:"Ana"`
	NativeLanguage optional[string] `json:"native_language,omitempty" doc:"BCP 47 tag." example:"pt"`
	TimeZone       optional[string] `json:"timezone,omitempty" doc:"IANA name; null means UTC." example:"Europe/Madrid"`
	UILocale       optional[string] `json:"ui_locale,omitempty" doc:"The app's own language, a BCP 47 tag; null when it is not known." example:"pt-BR"`
}

// userJSON is a user as the API shows it.
type userJSON struct {
	ID             string    `json:"id" example:"01890a5d-ac96-774b-bcce-b302099a8057"`
	Email          *string   `json:"email" doc:"Null for guests." example:"ana@example.org"`
	EmailVerified  bool      `json:"email_verified" doc:"Whether it was shown that the mailbox is the user's."`
	NativeLanguage string    `json:"native_language" example:"pt"`
	Name           string    `json:"name" example:"Ana"`
	Guest          bool      `json:"guest"`
	TimeZone       string    `json:"timezone" doc:"IANA name." example:"Europe/Madrid"`
	UILocale       *string   `json:"ui_locale" doc:"The app's own language; null when it is not known." example:"pt-BR"`
	CreatedAt      time.Time `json:"created_at"`
}

func showUser(u learn.User) userJSON {
	j := userJSON{ID: u.ID, Email: orNull(u.Email), EmailVerified: u.EmailVerified, NativeLanguage: u.NativeLanguage, Name: u.Name,
		Guest: u.Guest, TimeZone: u.TimeZone, UILocale: orNull(u.UILocale), CreatedAt: u.CreatedAt.UTC()}
	if j.TimeZone == "" {
		j.TimeZone = "UTC"
	}
	return j
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
	s.welcome(c, u)
	return c.JSON(http.StatusCreated, showUser(u))
}

// guest answers POST /auth/guest: a user without e-mail and password, who can be
// reached by these tokens alone.
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
	return s.signIn(c, u, "")
}

// me answers GET /auth/me.
func (s *Server) me(c echo.Context, who caller) error {
	return c.JSON(http.StatusOK, showUser(who.user))
}

// patchMe answers PATCH /auth/me.
func (s *Server) patchMe(c echo.Context, who caller) error {
	const op = "gateway.patchMe"
	var in meRequest
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	var f faults
	u := who.user
	if in.Name.set {
		u.Name = f.text("name", in.Name.value, maxName)
	}
	switch {
	case in.NativeLanguage.null:
		f.add("native_language", "must be a string, not null")
	case in.NativeLanguage.set:
		u.NativeLanguage = f.nativeLanguage("native_language", &in.NativeLanguage.value)
	}
	if in.TimeZone.set {
		if u.TimeZone = ""; !in.TimeZone.null {
			u.TimeZone = f.zone("timezone", in.TimeZone.value)
		}
	}
	if in.UILocale.set {
		if u.UILocale = ""; !in.UILocale.null {
			u.UILocale = f.locale("ui_locale", in.UILocale.value)
		}
	}
	if err := f.err(op); err != nil {
		return err
	}
	u, err := s.opts.Users.UpdateUser(c.Request().Context(), u)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, showUser(u))
}
