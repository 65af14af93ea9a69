package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"kalami/providers"
	"kalami/providers/recording"
	"kalami/session/learn"
)

// Clients send recordings as a part of a form or as base64 in JSON: the original's back
// end took the one, its app sent the other.

const (
	// maxRecordingBody is the largest recording in base64, with room for what is around it.
	maxRecordingBody = providers.MaxRecording/3*4 + 64<<10
	// maxFormField bounds a field of such a form that is not the recording, and maxFormParts
	// how many of them there may be: megabytes of tiny ones would become many more.
	maxFormField = 16 << 10
	maxFormParts = 32
)

// maxRecordingTime bounds how long a recording may play. Vendors are paid by the minute,
// and 25 MiB of narrow Opus are ten hours. A turn or a dictation takes a few minutes; the
// largest WAV of a telephone's quality takes 27.
const maxRecordingTime = 30 * time.Minute

// upload is a recording as a client sent it.
type upload struct {
	audio []byte
	// field is where it came in, for messages: audio or audio_base64.
	field string
	// language is a tag that the client gave beside it, checked; empty without one.
	language string
	// values are the form's other fields.
	values map[string]string
}

// recordingForm is the form that carries a recording.
type recordingForm struct {
	Audio []byte `json:"audio" required:"true" doc:"The recording: WAV, MP3, WebM, M4A or Ogg, told by its content; at most 25 MiB. Its file name and type do not matter."`
	// Language is read by the route of transcripts alone.
	Language *string `json:"language,omitempty" doc:"For a transcript: the language that is spoken, a BCP 47 tag, when it is known"`
}

// recordingRequest is the JSON that carries a recording.
type recordingRequest struct {
	Audio  base64Audio `json:"audio_base64" required:"true" example:"UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA="`
	Format *string     `json:"format" doc:"What the client believes it to be; the content decides" enum:"wav,mp3,webm,m4a,ogg" example:"m4a"`
	// Language is read by the route of transcripts alone.
	Language *string `json:"language,omitempty" doc:"For a transcript: the language that is spoken, a BCP 47 tag, when it is known"`
}

// takesRecording are the bodies of a route that takes a recording.
func takesRecording() []content {
	return []content{{mediaType: echo.MIMEMultipartForm, shape: recordingForm{}}, {shape: recordingRequest{}}}
}

// readUpload reads a recording, of either kind. Without one, or with one that is empty,
// it is Invalid; one that is larger than vendors take is a [*http.MaxBytesError].
func readUpload(c echo.Context) (upload, error) { return readUploadWith(c, readBase64) }

// readUploadWith is readUpload for a route whose JSON has fields of its own.
func readUploadWith(c echo.Context, readJSON func(echo.Context) (upload, error)) (upload, error) {
	const op = "gateway.readUpload"
	var u upload
	var err error
	if mt, params, _ := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType)); mt == echo.MIMEMultipartForm {
		u, err = readForm(c.Request().Body, params["boundary"])
	} else {
		u, err = readJSON(c)
	}
	if err != nil {
		return upload{}, err
	}
	if len(u.audio) > providers.MaxRecording {
		return upload{}, &http.MaxBytesError{Limit: providers.MaxRecording}
	}
	if len(u.audio) == 0 {
		return upload{}, u.fault(op, "is required and must not be empty")
	}
	var f faults
	u.language = f.spokenLanguage("language", u.values["language"])
	return u, f.err(op)
}

// fault is Invalid for the recording itself.
func (u upload) fault(op, message string) error {
	var f faults
	f.add(u.field, "%s", message)
	return f.err(op)
}

// readForm reads a multipart form part by part, so that only the recording is kept.
func readForm(body io.Reader, boundary string) (upload, error) {
	const op = "gateway.readUpload"
	u := upload{field: "audio", values: map[string]string{}}
	if boundary == "" {
		return u, learn.Errorf(learn.Invalid, op, "The form has no boundary")
	}
	form := multipart.NewReader(body, boundary)
	for parts := 0; ; parts++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err == nil && parts == maxFormParts {
			return u, learn.Errorf(learn.Invalid, op, "The form has more than %d parts", maxFormParts)
		}
		if err == nil {
			err = u.read(part)
		}
		if err != nil {
			return u, readError(op, err)
		}
	}
}

// read takes one part; the first recording counts.
func (u *upload) read(part *multipart.Part) (err error) {
	if name := part.FormName(); name != u.field {
		value, err := io.ReadAll(io.LimitReader(part, maxFormField))
		u.values[name] = string(value)
		return err
	}
	if len(u.audio) == 0 {
		u.audio, err = io.ReadAll(io.LimitReader(part, providers.MaxRecording+1))
	}
	return err
}

// readBase64 reads the JSON form.
func readBase64(c echo.Context) (upload, error) {
	var in recordingRequest
	if err := decodeJSON(c, &in); err != nil {
		return upload{}, err
	}
	return in.upload()
}

// upload checks what came as JSON. What it returns has room for further values even beside
// an error.
func (in recordingRequest) upload() (upload, error) {
	const op = "gateway.readUpload"
	u := upload{audio: in.Audio.bytes, field: "audio_base64", values: map[string]string{}}
	if in.Language != nil {
		u.values["language"] = *in.Language
	}
	var f faults
	if in.Audio.broken {
		f.add(u.field, "must be base64")
	}
	if in.Format != nil && !knownFormat(*in.Format) {
		f.add("format", "must be one of wav, mp3, webm, m4a, ogg")
	}
	return u, f.err(op)
}

// knownFormat knows the formats by the names that clients have for them: extensions, and
// media types with their parameters.
func knownFormat(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(name), ";")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "audio/"), "x-")
	_, known := recording.FormatOfName("." + name)
	return known || name == "" || slices.Contains([]string{"mpeg", "aac", "wave", "m4r", "caf"}, name)
}

// recording finds out what was sent, for a turn or a transcript in this language. The
// error is Invalid and names the field.
func (u upload) recording(language string) (providers.Recording, recording.Info, error) {
	info, err := recording.Inspect(u.audio)
	if err != nil {
		sentence := recording.Sentence(err)
		return providers.Recording{}, info, &learn.Error{Kind: learn.Invalid, Msg: sentence, Op: "gateway.recording", Err: err,
			Fields: []learn.FieldError{{Field: u.field, Message: sentence}}}
	}
	if info.Duration > maxRecordingTime {
		return providers.Recording{}, info, u.fault("gateway.recording", "must not last longer than 30 minutes")
	}
	return providers.Recording{Audio: u.audio, Format: info.Format, Language: language}, info, nil
}

// base64Audio is a recording in a JSON string, decoded straight from the body: neither
// the string nor its quotes are copied. It may begin as a data: URL does, use either
// alphabet, and lack its padding.
type base64Audio struct {
	bytes  []byte
	broken bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *base64Audio) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '"' {
		var text string // for the decoder's own error
		return json.Unmarshal(raw, &text)
	}
	text := raw[1 : len(raw)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		var plain string
		if err := json.Unmarshal(raw, &plain); err != nil {
			return err
		}
		text = []byte(plain)
	}
	b.bytes, b.broken = decodeBase64(text)
	return nil
}

func decodeBase64(text []byte) (decoded []byte, broken bool) {
	if bytes.HasPrefix(text, []byte("data:")) {
		_, text, _ = bytes.Cut(text, []byte(";base64,"))
	}
	text = bytes.TrimRight(bytes.TrimSpace(text), "=")
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(text[:min(len(text), 4096)], "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded = make([]byte, encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(decoded, text)
	return decoded[:n], err != nil
}

// Schema implements [huma.SchemaProvider].
func (base64Audio) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, ContentEncoding: "base64", Examples: []any{"UklGRiYAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQIAAAAAAA=="},
		Description: "The recording in base64: WAV, MP3, WebM, M4A or Ogg, told by its content; at most 25 MiB once decoded."}
}
