package wire

import (
	"fmt"
	"strings"

	"kalami/session"
	"kalami/session/learn"
)

// The fixed values of a typed message.
const (
	roleUser         = "user"
	contentInputText = "input_text"
)

func (c *check) inputState(data []byte) session.Control {
	f := decodeFields[struct {
		Muted        bool     `json:"muted"`
		Route        *string  `json:"route"`
		NativeRate   *float64 `json:"native_rate"`
		AEC          bool     `json:"aec"`
		NS           bool     `json:"ns"`
		AGC          bool     `json:"agc"`
		Backgrounded bool     `json:"backgrounded"`
	}](c, data)
	return session.DeviceState{
		Muted:        f.Muted,
		Route:        c.oneOf("route", f.Route, "", "speaker", "earpiece", "wired", "bluetooth_hfp", "bluetooth_le"),
		NativeRate:   int(c.whole("native_rate", f.NativeRate, 0, MaxRate)),
		AEC:          f.AEC,
		NS:           f.NS,
		AGC:          f.AGC,
		Backgrounded: f.Backgrounded,
	}
}

// itemCreate reads a typed message; several parts are lines of one text.
func (c *check) itemCreate(data []byte) session.Control {
	f := decodeFields[struct {
		Item *struct {
			ID      *string `json:"id"`
			Role    *string `json:"role"`
			Content []struct {
				Type *string `json:"type"`
				Text *string `json:"text"`
			} `json:"content"`
		} `json:"item"`
	}](c, data)
	c.need("item", f.Item != nil)
	if c.problem != nil {
		return nil
	}
	c.need("item.role", f.Item.Role != nil)
	c.oneOf("item.role", f.Item.Role, roleUser)
	c.need("item.content", len(f.Item.Content) > 0)
	var parts []string
	for i, part := range f.Item.Content {
		param := fmt.Sprintf("item.content[%d]", i)
		c.need(param+".type", part.Type != nil)
		c.oneOf(param+".type", part.Type, contentInputText)
		c.need(param+".text", part.Text != nil)
		if part.Text != nil {
			parts = append(parts, *part.Text)
		}
	}
	const param = "item.content[0].text"
	joined := strings.Join(parts, "\n")
	text := c.prose(param, &joined)
	if text == "" {
		c.fail(param, "%s is empty.", param)
	}
	id := c.text("item.id", f.Item.ID, MaxItemIDBytes)
	if !plainID(id) {
		c.fail("item.id", "item.id is made of the letters A to Z and a to z, digits, - and _.")
	}
	return session.CreateItem{ID: id, Text: text}
}

// plainID says whether id is one that a client may give: it becomes part of what is stored.
func plainID(id string) bool {
	return strings.Trim(id, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

func (c *check) responseCreate(data []byte) session.Control {
	f := decodeFields[struct {
		Response *struct {
			Instructions *string `json:"instructions"`
		} `json:"response"`
	}](c, data)
	if f.Response == nil {
		return session.CreateResponse{}
	}
	return session.CreateResponse{Instructions: c.prose("response.instructions", f.Response.Instructions)}
}

func (c *check) responseCancel(data []byte) session.Control {
	f := decodeFields[struct {
		ResponseID *string `json:"response_id"`
	}](c, data)
	return session.CancelResponse{ResponseID: c.text("response_id", f.ResponseID, MaxNameBytes)}
}

// playback reads one of the five reports of the client's player. A report that
// tells a position must have it: 0 would mean that nothing was heard.
func (c *check) playback(name string, data []byte) session.Control {
	f := decodeFields[struct {
		Name       *string  `json:"name"`
		ResponseID *string  `json:"response_id"`
		PlayedMS   *float64 `json:"played_ms"`
		BufferedMS *float64 `json:"buffered_ms"`
		DroppedMS  *float64 `json:"dropped_ms"`
		Underruns  *float64 `json:"underruns"`
		Latency    *float64 `json:"latency_ms"`
		SpeechEnd  *float64 `json:"speech_end_ms"`
		Buffer     *float64 `json:"buffer_ms"`
	}](c, data)
	id := c.name("response_id", f.ResponseID)
	if name == typePlaybackStarted {
		return session.PlaybackStarted{ResponseID: id, LatencyMS: c.millis("latency_ms", f.Latency),
			SpeechEndMS: c.millis("speech_end_ms", f.SpeechEnd), BufferMS: c.millis("buffer_ms", f.Buffer)}
	}
	c.need("played_ms", f.PlayedMS != nil)
	played := c.millis("played_ms", f.PlayedMS)
	switch name {
	case typePlaybackPosition:
		return session.PlaybackPosition{
			PlaybackState: session.PlaybackState{
				ResponseID: id, PlayedMS: played, BufferedMS: c.millis("buffered_ms", f.BufferedMS),
			},
			Underruns: int(c.whole("underruns", f.Underruns, 0, MaxMS)),
		}
	case typePlaybackMark:
		return session.PlaybackMark{Name: c.name("name", f.Name), ResponseID: id, PlayedMS: played}
	case typePlaybackCleared:
		return session.PlaybackCleared{ResponseID: id, PlayedMS: played, DroppedMS: c.millis("dropped_ms", f.DroppedMS)}
	default:
		return session.PlaybackStopped{ResponseID: id, PlayedMS: played}
	}
}

func (c *check) ack(data []byte) session.Control {
	f := decodeFields[struct {
		Seq *float64 `json:"seq"`
	}](c, data)
	c.need("seq", f.Seq != nil)
	return session.AckEvents{Seq: uint64(c.whole("seq", f.Seq, 0, maxSeq))}
}

func (c *check) pong(data []byte) session.Control {
	f := decodeFields[struct {
		ID *string  `json:"id"`
		TS *float64 `json:"ts"`
	}](c, data)
	return session.Pong{ID: c.name("id", f.ID), TS: int64(c.millis("ts", f.TS))}
}

func (c *check) tutorHold(data []byte) session.Control {
	f := decodeFields[struct {
		MS *float64 `json:"ms"`
	}](c, data)
	return session.HoldTurn{MS: int(c.whole("ms", f.MS, 0, MaxMS))}
}

func (c *check) tutorSet(data []byte) session.Control {
	f := decodeFields[struct {
		PatienceMS     *float64 `json:"patience_ms"`
		SpeechRate     *float64 `json:"speech_rate"`
		CorrectionMode *string  `json:"correction_mode"`
	}](c, data)
	set := session.SetTutor{PatienceMS: c.patience("patience_ms", f.PatienceMS)}
	if f.SpeechRate != nil {
		v := c.number("speech_rate", f.SpeechRate, MinSpeed, MaxSpeed)
		set.SpeechRate = &v
	}
	if f.CorrectionMode != nil {
		v := c.oneOf("correction_mode", f.CorrectionMode, string(learn.CorrectFlow), string(learn.CorrectBalanced),
			string(learn.CorrectStrict), string(learn.CorrectElicit), string(learn.CorrectSilent))
		set.CorrectionMode = &v
	}
	return set
}
