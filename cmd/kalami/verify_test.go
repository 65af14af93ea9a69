package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/verify"
)

// A node writes down what it does, and the checker finds nothing wrong with it; a promise
// that the node did not keep is found and shown.
func TestVerify(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	h, vars := newHouse(t, backends()[0], simulate.BenchLatency())
	h.open(t, append(vars, "KALAMI_HISTORY_DIR="+dir, "KALAMI_DATA_DIR="+data))
	p := join(t, h.url(), "en", "B2")
	conversation := await[session.Created](p, 1).Session.ConversationID
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(t, "en-01-clean"))
	await[session.ResponseDone](p, 2)
	said := await[session.ItemDone](p, 2)
	await[session.ItemDone](p, 3)
	if err := p.call.Send(session.EndSession{}); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := h.end(); err != nil {
		t.Fatal(err)
	}

	environ := []string{"KALAMI_DATA_DIR=" + data}
	verifying := func(args ...string) outcome {
		return runHere(t.Context(), environ, append([]string{"verify"}, args...)...)
	}
	clean := verifying("--history", dir, "--seed", "7")
	if clean.code != exitOK || !strings.HasSuffix(clean.stdout, "\nverify trials=1 acknowledged=0 acknowledged_lost=0 duplicated=0 violations=0 seed=7\n") ||
		!strings.Contains(clean.stdout, "1 conversations with 3 messages") {
		t.Fatalf("%+v", clean)
	}
	checkNodeHistory(t, dir, conversation)

	// A client that was promised more than there is.
	file, err := os.Create(filepath.Join(dir, "client.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	client := verify.NewWriter(file, "client")
	client.Record(conversation, verify.Acknowledged{Item: said.Item.ID, Text: verify.TextOf(said.Item.Content[0].Text)})
	client.Record(conversation, verify.Acknowledged{Item: "it_gone", Text: verify.TextOf("adiós")})
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--history", dir, "--run", "chaos"},
		{"--history", dir, "--run", "chaos", "--no-database"},
		{"--history", filepath.Join(dir, "client.jsonl"), "--run", "chaos", "--database", "sqlite:///" + filepath.Join(data, "kalami.db")},
	} {
		got := verifying(args...)
		if got.code != exitFailed || !strings.Contains(got.stdout, "item it_gone was acknowledged and is not stored") ||
			!strings.Contains(got.stdout, "  >>> ") || !strings.Contains(got.stdout, "\nchaos trials=1 acknowledged=2 acknowledged_lost=1 duplicated=0 violations=1 ") ||
			got.stderr != "kalami: verify: 1 violations\n" {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// checkNodeHistory looks for what a node must have written of a conversation.
func checkNodeHistory(t *testing.T, dir, conversation string) {
	t.Helper()
	records, err := readHistories([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	frames := uint32(0)
	for _, r := range records {
		if r.Conversation == conversation {
			kinds[r.Fact.Kind()]++
		}
		if m, ok := r.Fact.(verify.MicTaken); ok {
			frames += m.Next - m.From
		}
		if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), " ") {
			t.Errorf("a history holds words: %s, %v", text, err)
		}
	}
	if kinds["took_over"] != 1 || kinds["committed"] != 3 || kinds["conversation_ended"] != 1 || kinds["session_ended"] != 1 || frames < 50 {
		t.Errorf("%v, %d frames", kinds, frames)
	}
}

func TestVerifyRefuses(t *testing.T) {
	dir := t.TempDir()
	broken, log, canaries := filepath.Join(dir, "broken.jsonl"), filepath.Join(dir, "node.log"), filepath.Join(dir, "canaries")
	for file, text := range map[string]string{broken: "{}\n", log: "fine\nsw0rdfish\n", canaries: "sw0rdfish\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	empty := filepath.Join(dir, "empty.jsonl")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--no-database"}, exitUsage, "--no-database: name a --history"},
		{[]string{"--no-database", "--history", "x", "--database", "y"}, exitUsage, "and no --database"},
		{[]string{"--history", filepath.Join(dir, "none")}, exitFailed, "--history: stat"},
		{[]string{"--history", broken, "--no-database"}, exitFailed, "broken.jsonl: verify: line 1: version 0"},
		{[]string{"--database", "mysql://x"}, exitFailed, "--database: "},
		{[]string{"--history", empty, "--no-database", "--canaries", filepath.Join(dir, "none")}, exitFailed, "--canaries: "},
		{[]string{"--history", empty, "--no-database", "--log", filepath.Join(dir, "none")}, exitFailed, "verify: " + filepath.Join(dir, "none")},
		{[]string{"--history", empty, "--no-database", "--log", log, "--canaries", canaries}, exitFailed, "1 violations"},
	} {
		got := runKalami(t, nil, append([]string{"verify"}, tt.args...)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.says) {
			t.Errorf("%v: exit %d, %s", tt.args, got.code, got.stderr)
		}
	}
}

// Frames are written down together, and always before an acknowledgement goes out.
func TestTakenMic(t *testing.T) {
	to := &facts{}
	m := &takenMic{to: to, conversation: "c1"}
	frame := func(stream uint16, seq uint32) {
		in := session.Input{Frame: session.Frame{Stream: stream, Seq: seq}}
		if err := m.read(&in, nil); err != nil {
			t.Fatal(err)
		}
	}
	for seq := range uint32(takenMost + 10) {
		frame(1, seq)
	}
	m.written(session.Ping{})
	m.written(session.InputAck{})
	frame(1, takenMost+10)
	frame(1, takenMost+12)
	frame(2, 0)
	m.flush()
	m.flush()
	want := []verify.Fact{
		verify.MicTaken{Stream: 1, From: 0, Next: takenMost},
		verify.MicTaken{Stream: 1, From: takenMost, Next: takenMost + 10},
		verify.MicTaken{Stream: 1, From: takenMost + 10, Next: takenMost + 11},
		verify.MicTaken{Stream: 1, From: takenMost + 12, Next: takenMost + 13},
		verify.MicTaken{Stream: 2, From: 0, Next: 1},
	}
	if len(to.seen) != len(want) {
		t.Fatalf("%+v", to.seen)
	}
	for i := range want {
		if to.seen[i] != want[i] {
			t.Errorf("%+v, want %+v", to.seen[i], want[i])
		}
	}
}

// facts keeps what was written down.
type facts struct{ seen []verify.Fact }

func (f *facts) Record(_ string, fact verify.Fact) { f.seen = append(f.seen, fact) }

// A folder that cannot be written is a wrong setting, and named.
func TestHistoryDirIsChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(configInputs{environ: []string{"KALAMI_HISTORY_DIR=" + file, "KALAMI_DATA_DIR=" + t.TempDir()}, envFile: file})
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), &cfg.Config, newLogger(&lockedBuffer{}, cfg.Log))
	if a != nil && err == nil {
		_ = a.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "KALAMI_HISTORY_DIR: ") {
		t.Errorf("error %v", err)
	}
}
