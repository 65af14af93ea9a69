package gateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kalami/providers"
	"kalami/providers/recording"
)

// Bounds of a clip.
const (
	// maxClipText is the longest text of a clip, in characters.
	maxClipText = 4096
	// minClipSpeed and maxClipSpeed are what may be asked for. A vendor that cannot go so far
	// goes as far as it can: ElevenLabs from 0.7 to 1.2.
	minClipSpeed, maxClipSpeed = 0.5, 2.0
	// maxClip is the most of a clip that is answered whole, in bytes: ten minutes and more.
	maxClip = 16 << 20
	// clipStall is how long a client may take nothing of a clip that is sent as it comes.
	clipStall = 30 * time.Second
)

const mp3MediaType = "audio/mpeg"

// clipRoutes registers the routes that speak.
func (s *Server) clipRoutes() {
	const about = "Speed changes the pace and nothing else; 0.75 is slow enough to follow every word. A vendor that cannot go " +
		"as far as is asked goes as far as it can: ElevenLabs from 0.7 to 1.2. Clips of short texts are kept for a while and " +
		"come at once when somebody asks for the same again."
	vendors := providerParameter("The vendor to ask first; another answers when it cannot, in its own voice.", elevenLabs, openAI)
	stream := []success{{status: http.StatusOK, about: "The clip, sent while it is being made. When it cannot be finished, the connection is cut.",
		bodies: []content{{mediaType: mp3MediaType}}}}
	fails := []failure{badProvider(), noVendor("speak")}
	s.handleLearner(operation{
		method: http.MethodPost, path: "/speech/synthesize", id: "synthesize", tag: "speech", class: speaking,
		summary: "Speak a text and get the whole clip", about: about, query: []parameter{vendors},
		takes:   []content{{shape: clipRequest{}}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: clipJSON{}}}}},
		fails:   fails,
		timeout: clipTimeout,
	}, s.synthesize)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/speech/synthesize/stream", id: "synthesizeStream", tag: "speech", class: speaking,
		summary: "Speak a text and get the clip as it is being made", about: about, query: []parameter{vendors},
		takes: []content{{shape: clipRequest{}}}, gives: stream, fails: fails, timeout: streamTimeout,
	}, s.synthesizeStream)
	for _, route := range []struct{ path, id, summary string }{
		{"/speech/speak", "speak", "Speak a text of the query"},
		{"/speech/test-speak", "testSpeak", "The same as /speech/speak, under an older name: it was open to anybody once and is not any more"},
	} {
		s.handleLearner(operation{
			method: http.MethodGet, path: route.path, id: route.id, tag: "speech", class: speaking,
			summary: route.summary, about: about,
			query: []parameter{
				{name: "text", about: "What to speak, at most 4096 characters.", shape: "", required: true}, vendors,
				{name: "language", about: "The text's language, a BCP 47 tag.", shape: ""},
				{name: "voice_id", about: "One of the vendor's voices.", shape: ""},
				{name: "style", about: "The manner of speaking; slow lowers the pace as well.", shape: "neutral", enum: styles()},
				{name: "speed", about: "The pace, from 0.5 to 2; 1 is normal.", shape: 1.0},
			},
			gives: stream, fails: fails, timeout: streamTimeout,
		}, s.speak)
	}
}

func styles() []any {
	return []any{string(providers.Neutral), string(providers.Friendly), string(providers.Encouraging), string(providers.Slow)}
}

// clipRequest is the body of a request for a clip.
type clipRequest struct {
	Text     optional[string]  `json:"text" required:"true" minLength:"1" maxLength:"4096" example:"Un café con leche, por favor."`
	Language optional[string]  `json:"language" doc:"The text's language, a BCP 47 tag" example:"es"`
	VoiceID  optional[string]  `json:"voice_id" doc:"One of the vendor's voices; its default for the language when left out"`
	Style    optional[string]  `json:"style" doc:"The manner of speaking; slow lowers the pace as well" enum:"neutral,friendly,encouraging,slow" example:"friendly"`
	Speed    optional[float64] `json:"speed" doc:"The pace; 1 is normal" minimum:"0.5" maximum:"2" example:"0.75"`
}

// clipJSON is a whole clip.
type clipJSON struct {
	Audio    string   `json:"audio_base64" doc:"The clip" example:"//uQxAAAAAAAAAAAAAAAAAAAAAAA"`
	Format   string   `json:"format" enum:"mp3" example:"mp3"`
	Duration *float64 `json:"duration_seconds" doc:"null when it cannot be told" example:"1.62"`
}

// script checks what is to be spoken. A speed of 0 stands for none given.
func (f *faults) script(text, language, voiceID, style string, speed float64) providers.Script {
	out := providers.Script{Text: strings.TrimSpace(text), VoiceID: f.voiceID("voice_id", voiceID),
		Language: f.spokenLanguage("language", language), Style: providers.Style(style), Speed: speed}
	switch n := utf8.RuneCountInString(out.Text); {
	case n == 0:
		f.add("text", "is required and must not be empty")
	case n > maxClipText:
		f.add("text", "must have at most %d characters", maxClipText)
	case strings.ContainsFunc(out.Text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		f.add("text", "must not contain control characters")
	case !strings.ContainsFunc(out.Text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }):
		f.add("text", "must have a letter or a digit: there is nothing to speak")
	}
	switch out.Style {
	case "", providers.Neutral, providers.Friendly, providers.Encouraging, providers.Slow:
	default:
		f.add("style", "must be one of neutral, friendly, encouraging, slow")
	}
	if speed != 0 {
		number(f, "speed", speed, minClipSpeed, maxClipSpeed)
	}
	return out
}

// clip decodes a request's body and has it spoken.
func (s *Server) clip(c echo.Context) (providers.Clip, error) {
	q := readQuery(c)
	vendor, err := provider(q, elevenLabs, openAI)
	if err != nil {
		return providers.Clip{}, err
	}
	var in clipRequest
	if err := decodeJSON(c, &in); err != nil {
		return providers.Clip{}, err
	}
	if in.Speed.set && !in.Speed.null && in.Speed.value == 0 {
		q.add("speed", "must be between %v and %v", minClipSpeed, maxClipSpeed)
	}
	script := q.script(in.Text.value, in.Language.value, in.VoiceID.value, in.Style.value, in.Speed.value)
	if err := q.err("gateway.clip"); err != nil {
		return providers.Clip{}, err
	}
	return s.spoken(c, vendor, script)
}

// spoken has a script spoken.
func (s *Server) spoken(c echo.Context, vendor string, script providers.Script) (providers.Clip, error) {
	clip, err := s.opts.Speech.Synthesize(c.Request().Context(), vendor, script)
	if err != nil {
		return clip, clipFailure(script.VoiceID, err)
	}
	return clip, nil
}

// clipFailure says why there is no clip. What a vendor refuses is most probably the
// voice: everything else was checked before.
func clipFailure(voiceID string, err error) error {
	field, refused := "text", "cannot be spoken: the vendor does not take it"
	if voiceID != "" {
		field, refused = "voice_id", "is none of this provider's voices, or does not speak this text"
	}
	return vendorFailure(err, "The text cannot be spoken at the moment, try again shortly", field, refused)
}

// errLongClip is the cause when a clip that is answered whole has no end.
var errLongClip = errors.New("the clip is too long")

// synthesize answers POST /speech/synthesize.
func (s *Server) synthesize(c echo.Context, _ caller) error {
	clip, err := s.clip(c)
	if err != nil {
		return err
	}
	defer clip.Close()
	mp3, err := io.ReadAll(io.LimitReader(clip, maxClip+1))
	if err == nil && len(mp3) > maxClip {
		err = &providers.Error{Kind: providers.Unavailable, Vendor: clip.Vendor, Op: "synthesize", Err: errLongClip}
	}
	if err != nil {
		return clipFailure("", err)
	}
	out := clipJSON{Audio: base64.StdEncoding.EncodeToString(mp3), Format: string(providers.MP3)}
	if info, err := recording.Inspect(mp3); err == nil {
		out.Duration = new(seconds(info.Duration))
	}
	return c.JSON(http.StatusOK, out)
}

// synthesizeStream answers POST /speech/synthesize/stream.
func (s *Server) synthesizeStream(c echo.Context, _ caller) error {
	clip, err := s.clip(c)
	if err != nil {
		return err
	}
	return s.sendClip(c, clip)
}

// speak answers GET /speech/speak and /speech/test-speak.
func (s *Server) speak(c echo.Context, _ caller) error {
	q := readQuery(c)
	vendor, err := provider(q, elevenLabs, openAI)
	if err != nil {
		return err
	}
	value := func(name string) string { v, _ := q.get(name); return v }
	script := q.script(value("text"), value("language"), value("voice_id"), value("style"), q.number("speed", 0, minClipSpeed, maxClipSpeed))
	if err := q.err("gateway.speak"); err != nil {
		return err
	}
	if c.Request().Method == http.MethodHead { // nothing is spoken for nobody
		c.Response().Header().Set(echo.HeaderContentType, mp3MediaType)
		return c.NoContent(http.StatusOK)
	}
	clip, err := s.spoken(c, vendor, script)
	if err != nil {
		return err
	}
	return s.sendClip(c, clip)
}

// sendClip sends a clip while it arrives, each part at once, and closes it. A client that
// leaves ends the vendor's call, by the request's context. When the clip breaks off, so
// does the connection: a shorter answer would look whole.
func (s *Server) sendClip(c echo.Context, clip providers.Clip) error {
	defer clip.Close()
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, mp3MediaType)
	w.Header().Set("X-Accel-Buffering", "no") // proxies that know it hand on at once
	w.WriteHeader(http.StatusOK)
	if err := copyClip(http.NewResponseController(w.Writer), w, clip); err != nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelWarn, "a clip was cut", slog.String("request_id", requestID(c)),
			slog.String("vendor", clip.Vendor), slog.Int64("bytes", w.Size), slog.Any("err", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// copyClip hands on each part of a clip as it comes.
func copyClip(conn *http.ResponseController, w io.Writer, clip io.Reader) error {
	buf := make([]byte, 8<<10)
	for {
		n, err := clip.Read(buf)
		if n > 0 {
			setDeadline(conn.SetWriteDeadline, time.Now().Add(clipStall))
			if _, err := w.Write(buf[:n]); err != nil {
				return fmt.Errorf("the client takes no more: %w", err)
			}
			if err := conn.Flush(); err != nil {
				return fmt.Errorf("the client takes no more: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
