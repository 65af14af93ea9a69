package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"kalami/gateway/learner"
	"kalami/providers"
)

// sentence is a recording that everybody can read: a second of sound at 16 kHz.
func sentence() string {
	pcm := make([]byte, 2*16000)
	for i := range 16000 {
		binary.LittleEndian.PutUint16(pcm[2*i:], uint16(i*i%4000))
	}
	return string(learner.Recording{Rate: 16000, PCM: pcm}.WAV())
}

// badClips are recordings that are none, by what they are.
func badClips() map[string]string {
	wav := sentence()
	return map[string]string{
		"empty": "", "a byte": "x", "text": "hello, this is no sound", "half a header": wav[:20], "no samples": wav[:44],
		"a picture":           "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 1000),
		"a document":          "%PDF-1.7\n" + strings.Repeat("obj\n", 1000),
		"an archive":          "PK\x03\x04" + strings.Repeat("\x00", 1000),
		"FLAC":                "fLaC\x00\x00\x00\x22" + strings.Repeat("\x00", 1000),
		"AMR":                 "#!AMR\n" + strings.Repeat("\x3c", 1000),
		"zeros":               strings.Repeat("\x00", 100_000),
		"a film":              "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + strings.Repeat("\x00", 1000),
		"only an Ogg page":    "OggS\x00\x02" + strings.Repeat("\x00", 100),
		"only an EBML header": "\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f",
		"only an MP3 tag":     "ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
		"a WAV of MPEG":       wav[:20] + "\x55\x00" + wav[22:],
		"a WAV at 0 Hz":       wav[:24] + "\x00\x00\x00\x00" + wav[28:],
		"a WAV of 0 channels": wav[:22] + "\x00\x00" + wav[24:],
	}
}

// clipMisuses are what is wrong with recordings, in both ways of sending them.
func clipMisuses() []misuse {
	return []misuse{
		{"a bad clip", http.StatusUnprocessableEntity, clipsThatAreNone},
		{"a bad form", http.StatusUnprocessableEntity, badForms},
		{"a clip too long", http.StatusRequestEntityTooLarge, longClips},
		{"an odd form", http.StatusOK, oddForms},
	}
}

// part is one part of a form.
type part struct{ header, content string }

// audioPart is the recording's.
func audioPart(content string) part {
	return part{`form-data; name="audio"; filename="clip.wav"`, content}
}

// form is the right call with a form of these parts, behind what belongs beside a recording.
func (p *people) form(op describedOperation, r operationRow, name string, parts ...part) attempt {
	a := p.right(op, r)
	beside, err := url.ParseQuery(r.beside)
	if err != nil {
		panic(err)
	}
	for _, field := range slices.Backward(sortedKeys(beside)) {
		parts = append([]part{{`form-data; name="` + field + `"`, beside.Get(field)}}, parts...)
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, part := range parts {
		pw, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.header}, "Content-Type": {"audio/wav"}})
		if err == nil {
			_, err = pw.Write([]byte(part.content))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	a.name, a.field, a.contentType, a.body = name, "audio", w.FormDataContentType(), body.String()
	return a
}

func clipsThatAreNone(p *people, op describedOperation, r operationRow) (all []attempt) {
	if !r.clip {
		return nil
	}
	clips := badClips()
	for _, name := range sortedKeys(clips) {
		a := p.with(op, r, "audio_base64", base64.StdEncoding.EncodeToString([]byte(clips[name])))
		a.name = name + " in JSON"
		all = append(all, a, p.form(op, r, name+" in a form", audioPart(clips[name])))
	}
	a := p.with(op, r, "audio_base64", "not base64!")
	a.name = "no base64"
	return append(all, a)
}

func badForms(p *people, op describedOperation, r operationRow) []attempt {
	if !r.clip {
		return nil
	}
	wav := sentence()
	many := make([]part, 5000)
	for i := range many {
		many[i] = part{fmt.Sprintf(`form-data; name="field%d"`, i), "x"}
	}
	whole := p.form(op, r, "", audioPart(wav))
	changed := func(name string, change func(a *attempt)) attempt {
		a := whole
		change(&a)
		a.name, a.field = name, ""
		return a
	}
	return []attempt{
		p.form(op, r, "without parts"),
		p.form(op, r, "another part", part{`form-data; name="file"; filename="clip.wav"`, wav}),
		p.form(op, r, "no names", part{`attachment; filename="clip.wav"`, wav}),
		changed("many parts", func(a *attempt) { *a = p.form(op, r, "", many...) }),
		changed("no boundary", func(a *attempt) { a.contentType = "multipart/form-data" }),
		changed("another boundary", func(a *attempt) { a.contentType = "multipart/form-data; boundary=other" }),
		changed("half a form", func(a *attempt) { a.body = a.body[:len(a.body)/2] }),
		changed("many headers", func(a *attempt) {
			a.body = strings.Replace(a.body, "Content-Type:", strings.Repeat("X-More: y\r\n", 20_000)+"Content-Type:", 1)
		}),
		changed("no form at all", func(a *attempt) { a.body = wav }),
	}
}

// longClips are larger than any vendor takes: in the body's own limit, and beyond it.
func longClips(p *people, op describedOperation, r operationRow) []attempt {
	if !r.clip {
		return nil
	}
	zeros := strings.Repeat("\x00", 30<<20)
	json := p.with(op, r, "audio_base64", base64.StdEncoding.EncodeToString([]byte(zeros[:providers.MaxRecording+1])))
	json.name = "in JSON"
	form := p.form(op, r, "in a form", audioPart(zeros))
	untold := form
	untold.name, untold.chunked = "in a form of unknown length", true
	return []attempt{json, form, untold}
}

// oddForms are right, however strange.
func oddForms(p *people, op describedOperation, r operationRow) []attempt {
	if !r.clip {
		return nil
	}
	wav := sentence()
	return []attempt{
		p.form(op, r, "a path as name", part{`form-data; name="audio"; filename="../../etc/passwd"`, wav}),
		p.form(op, r, "no file name", part{`form-data; name="audio"`, wav}),
		p.form(op, r, "a long header", part{`form-data; name="audio"; filename="` + strings.Repeat("x", 1<<20) + `"`, wav}),
		p.form(op, r, "with other fields", part{`form-data; name="session_id"`, "x"}, audioPart(wav)),
	}
}

func clipRows() []operationRow {
	const limit = providers.MaxRecording/3*4 + 64<<10
	over := map[string]expectation{
		"an ended session": {status: http.StatusBadRequest, detail: "Session has ended"},
		"another's":        {status: http.StatusNotFound, detail: "Session not found"},
		"an unknown id":    {status: http.StatusNotFound, detail: "Session not found"},
	}
	return []operationRow{
		{id: "sendText", path: "/conversations/sessions/$session/text", right: http.StatusOK, body: `{"text":"Hola","generate_audio":true}`,
			required: []string{"text"}, expects: over, faults: []fault{
				{"text", " \t\n", http.StatusUnprocessableEntity, ""}, {"text", strings.Repeat("é", 4001), http.StatusUnprocessableEntity, ""}}},
		{id: "sendAudio", path: "/conversations/sessions/$session/audio", right: http.StatusOK, clip: true, limit: limit,
			body: `{"audio_base64":"$wav","format":"wav","language":"es"}`, required: []string{"audio_base64"}, expects: over, faults: []fault{
				{"format", "exe", http.StatusUnprocessableEntity, ""}, {"audio_base64", "AAAA*AAA", http.StatusUnprocessableEntity, ""}}},
	}
}

// helpRows come after something was said.
func helpRows() []operationRow {
	limits := badNumbers()
	gone := map[string]expectation{"an unknown field": {status: http.StatusUnprocessableEntity}}
	return []operationRow{
		{id: "getHint", path: "/conversations/sessions/$session/hint", right: http.StatusOK,
			expects: map[string]expectation{"an ended session": {status: http.StatusBadRequest, detail: "Session has ended"}}},
		{id: "translate", path: "/conversations/sessions/$session/translate", right: http.StatusOK, body: `{"text":"Hola","message_id":null}`, required: []string{"text"},
			expects: map[string]expectation{"an ended session": {status: http.StatusOK}}, faults: []fault{
				{"text", " ", http.StatusUnprocessableEntity, ""}, {"text", strings.Repeat("é", 1001), http.StatusUnprocessableEntity, ""},
				{"message_id", "m-1", http.StatusUnprocessableEntity, ""}}},
		{id: "repeat", path: "/conversations/sessions/$session/repeat", right: http.StatusOK, body: `{"slow":true}`,
			expects: map[string]expectation{"a malformed body nothing": {status: http.StatusOK}, "an ended session": {status: http.StatusNotFound}}},
		{id: "listCorrections", path: "/conversations/sessions/$session/corrections", query: "limit=100&offset=0", right: http.StatusOK,
			parameters: map[string][]string{"limit": append(limits, "0", "501"), "offset": append(limits, "100001")},
			expects:    map[string]expectation{"an ended session": {status: http.StatusOK}, "a deleted profile's session": {status: http.StatusOK}}},
		{id: "judgeCorrection", path: "/corrections/$correction", right: http.StatusOK, body: `{"status":"disputed"}`, required: []string{"status"}, expects: gone,
			faults: []fault{{"status", "shown", http.StatusUnprocessableEntity, ""}, {"status", "wrong", http.StatusUnprocessableEntity, ""}}},
		{id: "editMessage", path: "/conversations/messages/$message", right: http.StatusOK, body: `{"text":"Estoy cansado."}`, required: []string{"text"}, expects: gone,
			faults: []fault{{"text", " ", http.StatusUnprocessableEntity, ""}, {"text", strings.Repeat("é", 4001), http.StatusUnprocessableEntity, ""}}},
	}
}

func speechRows() []operationRow {
	const limit = providers.MaxRecording/3*4 + 64<<10
	text := strings.Repeat("x", 4097)
	badProvider := func(whisper, deepgram string) map[string]expectation {
		return map[string]expectation{"a bad parameter provider=nobody": {status: http.StatusBadRequest,
			detail: "Invalid provider. Use '" + whisper + "' or '" + deepgram + "'."}}
	}
	transcripts := badProvider("whisper", "deepgram")
	voices := badProvider("elevenlabs", "openai")
	nobody := map[string][]string{"provider": {"nobody"}}
	spoken := func(id, path string) operationRow {
		return operationRow{id: id, path: path, right: http.StatusOK, query: "provider=elevenlabs", parameters: nobody,
			body:     `{"text":"Hola","language":"es","voice_id":"v1","style":"friendly","speed":1}`,
			required: []string{"text"}, certain: []string{"voice_id"}, expects: voices, faults: []fault{
				{"text", "", http.StatusUnprocessableEntity, ""}, {"text", text, http.StatusUnprocessableEntity, ""},
				{"style", "angry", http.StatusUnprocessableEntity, ""}, {"speed", 0.4, http.StatusUnprocessableEntity, ""},
				{"language", "klingon", http.StatusUnprocessableEntity, ""}}}
	}
	asked := func(id, path string) operationRow {
		return operationRow{id: id, path: path, right: http.StatusOK, expects: voices,
			query: "text=Hola&provider=elevenlabs&language=es&voice_id=v1&style=friendly&speed=1",
			parameters: map[string][]string{"provider": nobody["provider"], "text": {"", text}, "language": {"klingon"}, "voice_id": {"../v1"},
				"style": {"angry"}, "speed": {"0.4", "fast", "NaN"}}}
	}
	return []operationRow{
		{id: "transcribe", path: "/speech/transcribe", right: http.StatusOK, clip: true, limit: limit, query: "language=es&provider=whisper",
			parameters: map[string][]string{"provider": nobody["provider"], "language": {"klingon", "\x00"}},
			body:       `{"audio_base64":"$wav","format":"wav","language":"es"}`, required: []string{"audio_base64"}, expects: transcripts},
		spoken("synthesize", "/speech/synthesize"), spoken("synthesizeStream", "/speech/synthesize/stream"),
		asked("speak", "/speech/speak"), asked("testSpeak", "/speech/test-speak"),
		{id: "listVoices", path: "/speech/voices", right: http.StatusOK, query: "provider=elevenlabs", parameters: nobody, expects: voices},
	}
}
