package session

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// helpWait bounds how long a model may take for a hint or a translation: somebody looks at
// the screen and waits.
const helpWait = 6 * time.Second

// Help gives learners what they ask for beside the conversation: a hint at what to say next,
// a text in their own language, and the tutor's last reply as a slow clip. Live sessions ask
// it off the spoken path (see help_live.go), REST clients by its methods. None of it is
// stored. Fill Analyst, Store and Log, and Synthesizer for clips. Safe for concurrent use.
type Help struct {
	Analyst     providers.Analyst
	Synthesizer providers.Synthesizer
	Store       HelpStore
	Log         *slog.Logger

	known translations
}

// HelpStore reads what help is about. Package store implements it. What belongs to another
// user or tenant is NotFound.
type HelpStore interface {
	Conversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
	// RecentMessages returns the last n messages, oldest first.
	RecentMessages(ctx context.Context, tenantID, conversationID string, n int) ([]learn.Message, error)
	// Message returns one message of a conversation of the user's.
	Message(ctx context.Context, tenantID, userID, conversationID, id string) (learn.Message, error)
}

// HelpRequest says who asks, in which of their conversations.
type HelpRequest struct {
	User           learn.User
	Profile        learn.Profile
	ConversationID string
}

// Hint says what the learner could say next, in their own language up to B1 and in what they
// learn above it. Where no model answers in six seconds it is the beginning of an answer that
// fits nearly every question. Errors: NotFound for the conversation, Conflict with [ErrEnded]
// in the chain when it has ended, Unavailable.
func (h *Help) Hint(ctx context.Context, r HelpRequest) (Hint, error) {
	c, err := h.Store.Conversation(ctx, r.Profile.TenantID, r.User.ID, r.ConversationID)
	if err != nil {
		return Hint{}, err
	}
	if c.EndedAt != nil {
		return Hint{}, errEnded(nil)
	}
	said, err := h.Store.RecentMessages(ctx, c.TenantID, c.ID, historyMost)
	if err != nil {
		return Hint{}, err
	}
	return h.hint(ctx, learn.Stuck{Language: r.Profile.TargetLanguage, NativeLanguage: r.User.NativeLanguage,
		Level: cmpOr(c.Level, r.Profile.Level), Topic: c.Topic, Scene: c.Scene, Goals: c.Scene.Open(), Said: said}, len(said))
}

// Translate puts a message of the conversation, or text when messageID is empty, into the
// learner's own language. A translation is remembered for a while, so that asking again costs
// nothing. Errors: NotFound for the conversation and the message, Invalid for what is longer
// than [learn.TranslatedMost] characters or empty, Unavailable.
func (h *Help) Translate(ctx context.Context, r HelpRequest, messageID, text string) (Translation, error) {
	const op = "session.Translate"
	c, err := h.Store.Conversation(ctx, r.Profile.TenantID, r.User.ID, r.ConversationID)
	if err != nil {
		return Translation{}, err
	}
	itemID := ""
	if messageID != "" {
		m, err := h.Store.Message(ctx, c.TenantID, r.User.ID, c.ID, messageID)
		if err != nil {
			return Translation{}, err
		}
		itemID, text = m.UtteranceID, shownOf(m)
		if text == "" || !learn.Translatable(text) {
			length := fmt.Sprintf("must have 1 to %d characters", learn.TranslatedMost)
			return Translation{}, &learn.Error{Kind: learn.Invalid, Op: op, Msg: "message_id: " + length,
				Fields: []learn.FieldError{{Field: "message_id", Message: length}}}
		}
	}
	t, err := h.translation(ctx, c.TenantID+"/"+r.User.ID, learn.Foreign{Language: r.Profile.TargetLanguage, NativeLanguage: r.User.NativeLanguage, Text: text})
	t.ItemID = itemID
	return t, err
}

// Repeat is the tutor's last reply as a clip in MP3, slow at three quarters of the learner's
// pace. Errors: NotFound for the conversation, and when nothing was said in it yet; else those
// of [providers.Synthesizer].
func (h *Help) Repeat(ctx context.Context, r HelpRequest, slow bool) ([]byte, error) {
	c, err := h.Store.Conversation(ctx, r.Profile.TenantID, r.User.ID, r.ConversationID)
	if err != nil {
		return nil, err
	}
	said, err := h.Store.RecentMessages(ctx, c.TenantID, c.ID, historyMost)
	if err != nil {
		return nil, err
	}
	last, ok := learn.LastSaid(said)
	if !ok {
		return nil, learn.Errorf(learn.NotFound, "session.Repeat", "The tutor has said nothing yet")
	}
	speed := cmpOr(r.Profile.SpeechRate, learn.SpeechRate(cmpOr(c.Level, r.Profile.Level)))
	if slow {
		speed = learn.SlowRate(speed)
	}
	ctx, cancel := context.WithTimeout(ctx, clipWait)
	defer cancel()
	clip, err := h.Synthesizer.Synthesize(ctx, providers.Script{Text: last.Content, Language: r.Profile.TargetLanguage,
		VoiceID: r.Profile.VoiceID, Speed: speed})
	if err != nil {
		return nil, err
	}
	defer clip.Close()
	mp3, err := io.ReadAll(io.LimitReader(clip, maxClip+1))
	if err == nil && (len(mp3) == 0 || len(mp3) > maxClip) {
		err = &providers.Error{Kind: providers.Unavailable, Vendor: clip.Vendor, Op: "repeat", Detail: fmt.Sprintf("a clip of %d bytes", len(mp3))}
	}
	return mp3, err
}

// hint asks for a hint, or takes the n-th of the scripted ones. A nil Help has these alone.
func (h *Help) hint(ctx context.Context, s learn.Stuck, n int) (Hint, error) {
	text, err := h.ask(ctx, learn.HintName, learn.HintInstruction(s), learn.HintMaterial(s), learn.HintTokens, learn.HintSchema(),
		func(answer []byte) (string, error) { return learn.ReadHint(answer, s) })
	if err == nil {
		return Hint{Text: text, Language: s.HintLanguage()}, nil
	}
	if ctx.Err() != nil {
		return Hint{}, context.Cause(ctx)
	}
	if text = learn.Opener(s.Language, s.Level, n); text == "" {
		return Hint{}, err
	}
	return Hint{Text: text, Language: s.Language}, nil
}

// translation asks for a translation, unless it is remembered of the owner.
func (h *Help) translation(ctx context.Context, owner string, f learn.Foreign) (Translation, error) {
	t := Translation{Source: f.Text, Language: learn.OwnLanguage(f.NativeLanguage)}
	key := translationKey{owner: owner, from: f.Language, to: t.Language, text: f.Text}
	if text, ok := h.remembered(key); ok {
		t.Text = text
		return t, nil
	}
	text, err := h.ask(ctx, learn.TranslationName, learn.TranslationInstruction(f), learn.TranslationMaterial(f), learn.TranslationTokens,
		learn.TranslationSchema(), func(answer []byte) (string, error) { return learn.ReadTranslation(answer, f) })
	if err != nil {
		return t, err
	}
	h.known.put(key, text, time.Now())
	t.Text = text
	return t, nil
}

// remembered looks a translation up.
func (h *Help) remembered(key translationKey) (string, bool) {
	if h == nil {
		return "", false
	}
	return h.known.get(key, time.Now())
}

// ask asks the model for one text. Whatever goes wrong but ctx is Unavailable: there is none
// to be had now. A panic in the vendor's client is an error.
func (h *Help) ask(ctx context.Context, name, system, prompt string, tokens int, schema []byte, read func([]byte) (string, error)) (text string, err error) {
	const op = "session.Help"
	unavailable := &learn.Error{Kind: learn.Unavailable, Op: op, Msg: "Nobody can answer that at the moment, try again shortly"}
	if h == nil || h.Analyst == nil {
		return "", unavailable
	}
	asking, cancel := context.WithTimeout(ctx, helpWait)
	defer cancel()
	err = contained(func() error {
		answer, err := h.Analyst.Ask(asking, providers.Question{System: system, Prompt: prompt, Name: name, Schema: schema, MaxTokens: tokens})
		if err == nil {
			text, err = read(answer.JSON)
		}
		return err
	})
	if err == nil {
		return text, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	h.Log.Warn("no help", "what", name, "err", err)
	unavailable.Err = err
	return "", unavailable
}

// shownOf is what a learner is shown of a message.
func shownOf(m learn.Message) string {
	if m.Speaker == learn.SpeakerTutor {
		return cmpOr(m.Heard, m.Content)
	}
	return m.Content
}
