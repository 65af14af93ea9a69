package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"kalami/gateway"
	"kalami/session"
	"kalami/session/learn"
	"kalami/session/verify"
)

// history writes down what this node does, for "kalami verify", when a folder for it is
// set. A nil history writes nothing and wraps nothing.
type history struct {
	file *os.File
	*verify.Writer
}

// openHistory begins a history in a file of its own: each run of a node is a writer of its
// own, and the last line of one that was killed may be torn.
func openHistory(dir string) (*history, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // a node without a history is the rule
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	by := "node-" + uuid.Must(uuid.NewV7()).String()
	file, err := os.OpenFile(filepath.Join(dir, by+".jsonl"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	h := &history{file, verify.NewWriter(file, by)}
	h.Record("", verify.NodeStarted{})
	return h, nil
}

// Close closes the file; nothing is written any more.
func (h *history) Close() error {
	if h == nil {
		return nil
	}
	return errors.Join(h.Err(), h.file.Close())
}

// host wraps what runs the conversations.
func (h *history) host(host gateway.Host) gateway.Host {
	if h == nil {
		return host
	}
	return historyHost{host, h}
}

// journal wraps where sessions keep messages.
func (h *history) journal(j session.Journal) session.Journal {
	if h == nil {
		return j
	}
	return historyJournal{j, h}
}

// turns wraps where turns that are sent whole are kept.
func (h *history) turns(s session.TurnStore) session.TurnStore {
	if h == nil {
		return s
	}
	return historyTurns{s, h}
}

// historyHost writes down which sessions ran here.
type historyHost struct {
	gateway.Host
	to verify.Recorder
}

// Run implements [gateway.Host].
func (h historyHost) Run(ctx context.Context, conn session.Conn, p session.Params) *session.End {
	id, epoch := p.Conversation.ID, p.Conversation.Epoch
	h.to.Record(id, verify.TookOver{Epoch: epoch, Session: p.Config.ID})
	mic := &takenMic{to: h.to, conversation: id}
	var watched session.Conn = historyConn{conn, mic}
	if line, ok := conn.(session.Line); ok {
		watched = historyLine{line, mic}
	}
	end := h.Host.Run(ctx, watched, p)
	mic.flush()
	h.to.Record(id, verify.SessionEnded{Epoch: epoch, Session: p.Config.ID, Reason: string(end.Reason)})
	return end
}

// historyJournal writes down what was stored and what was refused.
type historyJournal struct {
	session.Journal
	to verify.Recorder
}

// AppendMessage implements [session.Journal].
func (j historyJournal) AppendMessage(ctx context.Context, epoch int64, m learn.Message) error {
	began := time.Now()
	err := j.Journal.AppendMessage(ctx, epoch, m)
	recordMessage(j.to, epoch, m, began, err)
	return err
}

// EndConversation implements [session.Journal].
func (j historyJournal) EndConversation(ctx context.Context, epoch int64, c learn.Conversation) error {
	err := j.Journal.EndConversation(ctx, epoch, c)
	if err == nil {
		j.to.Record(c.ID, verify.ConversationEnded{Epoch: epoch, Reason: c.EndReason})
	}
	return err
}

// recordMessage writes down what became of a message. An error that leaves it open says
// nothing.
func recordMessage(to verify.Recorder, epoch int64, m learn.Message, began time.Time, err error) {
	switch kind := learn.KindOf(err); {
	case err == nil:
		to.Record(m.ConversationID, verify.Committed{
			Epoch: epoch, Utterance: m.UtteranceID, Seq: m.Seq, Speaker: string(m.Speaker), TookUS: time.Since(began).Microseconds(),
			Text: verify.TextOf(m.Content), Heard: verify.TextOf(m.Heard),
		})
	case errors.Is(err, learn.ErrFenced), kind == learn.Conflict, kind == learn.Invalid:
		to.Record(m.ConversationID, verify.WriteRefused{Epoch: epoch, Utterance: m.UtteranceID, Fenced: errors.Is(err, learn.ErrFenced)})
	}
}

// historyTurns does the same for turns that are sent whole, each of which takes the
// conversation over.
type historyTurns struct {
	session.TurnStore
	to verify.Recorder
}

// TakeOver implements [session.TurnStore].
func (t historyTurns) TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	c, err := t.TurnStore.TakeOver(ctx, tenantID, userID, id)
	if err == nil {
		t.to.Record(id, verify.TookOver{Epoch: c.Epoch})
	}
	return c, err
}

// AppendMessage implements [session.TurnStore].
func (t historyTurns) AppendMessage(ctx context.Context, epoch int64, m learn.Message) error {
	began := time.Now()
	err := t.TurnStore.AppendMessage(ctx, epoch, m)
	recordMessage(t.to, epoch, m, began, err)
	return err
}

// SaveAnalysis implements [session.TurnStore].
func (t historyTurns) SaveAnalysis(ctx context.Context, a learn.TurnAnalysis) error {
	err := t.TurnStore.SaveAnalysis(ctx, a)
	if err == nil {
		t.to.Record(a.ConversationID, verify.Analysed{Message: a.MessageID})
	}
	return err
}

// openHistory begins this node's history where the configuration says.
func (a *app) openHistory() (err error) {
	if a.history, err = openHistory(a.cfg.Log.HistoryDir); err != nil {
		return fmt.Errorf("KALAMI_HISTORY_DIR: %w", err)
	}
	return nil
}
