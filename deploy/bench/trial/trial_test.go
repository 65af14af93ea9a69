package trial

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/deploy/bench/worderror"
	"kalami/session"
)

func TestFixtures(t *testing.T) {
	all, err := Fixtures("../speech")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		rec, err := f.Recording()
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Purpose == "" || rec.Rate != 16000 || len(rec.PCM) < 2*rec.Rate {
			t.Errorf("%s is %q, %d bytes at %d hertz", f.Name, f.Purpose, len(rec.PCM), rec.Rate)
		}
	}
	last := all[len(all)-1]
	if last.Name != "en-session-3turns" || len(last.Spoken) != 3 || last.Spoken[2] != "wait stop can you say that again more slowly please" {
		t.Errorf("the last recording is %+v", last)
	}
	plan := Plan(all, "B2", "A2", "B1")
	var hesitant []string
	for _, p := range plan {
		if p.Hesitant() {
			hesitant = append(hesitant, p.Name+" "+p.Level)
		} else if p.Level != "B2" {
			t.Errorf("%s is spoken at %s", p.Name, p.Level)
		}
	}
	if want := 2 * 3; len(hesitant) != want || len(plan) != len(all)+want/2 || !slices.Contains(hesitant, "fr-02-hesitant B1") {
		t.Errorf("%d trials, of hesitant learners %q", len(plan), hesitant)
	}
}

func TestUnusableLists(t *testing.T) {
	for name, tt := range map[string]struct{ list, complaint string }{
		"none":             {"", "no such file"},
		"other columns":    {"file\tlang\nx\ten\n", "wrong number of fields"},
		"other header":     {"a\tb\tc\td\nx\ten\thello\tnothing\n", "is no list of recordings"},
		"nothing in it":    {strings.Join(header, "\t") + "\n", "is no list of recordings"},
		"recording absent": {strings.Join(header, "\t") + "\nx\ten\thello\tnothing\n", "x.wav"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.list != "" {
				if err := os.WriteFile(filepath.Join(dir, "utterances.tsv"), []byte(tt.list), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Fixtures(dir); err == nil || !strings.Contains(err.Error(), tt.complaint) {
				t.Errorf("the error is %v, want one with %q", err, tt.complaint)
			}
		})
	}
}

// told are the events of a conversation with two turns; the first answer is interrupted.
func told() []session.Event {
	reply := func(id string, stream uint16) session.Event {
		return session.ResponseCreated{Response: session.ResponseInfo{ID: id}, Stream: stream,
			Audio: session.AudioFormat{Format: session.Format{Type: session.PCM, Rate: 24000}}}
	}
	over := func(id string, firstAudio int) session.Event {
		return session.ResponseDone{Response: session.ResponseInfo{ID: id}, Latency: session.Latency{FirstAudioMS: firstAudio}}
	}
	return []session.Event{
		session.Created{Session: session.Config{Audio: session.AudioConfig{Input: session.InputConfig{
			TurnDetection: &session.TurnDetection{PatienceMS: 1200}}}}},
		reply("r1", 1), session.CaptionDone{ResponseID: "r1", Transcript: "Hello!"}, over("r1", 10),
		session.TranscriptCompleted{Transcript: "A table for two."},
		reply("r2", 2), session.CaptionDelta{ResponseID: "r2", Delta: "Of "}, session.CaptionDelta{ResponseID: "r2", Delta: "course. "},
		session.ClearAudio{ResponseID: "r2", Stream: 2}, over("r2", 20),
		session.TranscriptCompleted{Transcript: "Wait, stop."},
		reply("r3", 3), session.CaptionDone{ResponseID: "r3", Transcript: "Yes?"}, over("r3", 30),
		session.NotUnderstood{}, session.Warning{Code: session.WarnInputOverrun},
	}
}

func TestNotes(t *testing.T) {
	n := newNotes()
	for i, ev := range told() {
		n.event(session.Head{}, ev)
		for stream := range uint16(4) {
			n.audio(session.Frame{Stream: stream, Audio: []byte{byte(i), 0}}, i%2 == 1)
		}
	}
	r := n.result()
	if !slices.Equal(r.Turns, []string{"A table for two.", "Wait, stop."}) || r.PatienceMS != 1200 || r.NotUnderstood != 1 ||
		!slices.Equal(r.Warnings, []string{"input_audio_overrun"}) || r.Errors != nil {
		t.Errorf("noted %+v", r)
	}
	if len(r.Replies) != 3 || r.Replies[0].Turn != 0 {
		t.Fatalf("the replies are %+v", r.Replies)
	}
	if a := r.Answer(1); a.Caption != "Of course. " || !a.Cut || a.Latency.FirstAudioMS != 20 || a.Audio.Rate != 24000 {
		t.Errorf("the first answer is %+v", a)
	}
	if a := r.Answer(2); a.Caption != "Yes?" || a.Cut || !slices.Equal(a.Audio.PCM, []byte{12, 0, 14, 0}) {
		t.Errorf("the second answer is %+v", a)
	}
	if a := r.Answer(3); a != nil {
		t.Errorf("the third answer is %+v", a)
	}
}

// A trial is over when the tutor has answered and nobody has spoken for a while.
func TestOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, began := newNotes(), time.Now()
		tell := func(after time.Duration, events ...session.Event) {
			go func() {
				time.Sleep(after)
				for _, ev := range events {
					n.event(session.Head{}, ev)
				}
			}()
		}
		all := told()
		tell(3*time.Second, all[:4]...)
		if err := n.await(t.Context(), n.greeted); err != nil || time.Since(began) != 3*time.Second {
			t.Fatalf("greeted after %v with %v, want 3 s", time.Since(began), err)
		}
		n.spoken(time.Now())
		tell(time.Second, all[4:6]...)    // a turn, and an answer that takes long
		tell(20*time.Second, all[9])      // its end
		tell(21*time.Second, all[10:]...) // another turn, answered at once
		if err := n.await(t.Context(), n.over); err != nil {
			t.Fatal(err)
		}
		// The first answer's end is long enough after the learner's last word.
		if d := time.Since(began); d != 23*time.Second {
			t.Errorf("over after %v, want 23 s", d)
		}
		time.Sleep(2 * time.Second)
		if err := n.await(t.Context(), n.over); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != 24*time.Second+Quiet {
			t.Errorf("over after %v, want %v", d, 24*time.Second+Quiet)
		}
	})
}

func TestJudge(t *testing.T) {
	aloud := Reply{}
	aloud.Audio.PCM = []byte{1, 2}
	answered := func(turns ...string) Result {
		r := Result{Turns: turns, Replies: []Reply{{}}}
		for i := range turns {
			a := aloud
			a.Turn = i + 1
			r.Replies = append(r.Replies, a)
		}
		return r
	}
	failed := answered("one two three four five six seven eight nine ten")
	failed.Errors = []string{"stt_unavailable"}
	mute := answered("one two three four five six seven eight nine ten")
	mute.Replies[1].Audio.PCM = nil
	ten := Fixture{Name: "ten", Language: "en", Spoken: []string{"one two three four five six seven eight nine ten"}}
	diez := Fixture{Name: "diez", Language: "es", Spoken: []string{"uno dos tres cuatro"}}
	for name, tt := range map[string]struct {
		fixture Fixture
		result  Result
		want    string // "" for nothing wrong
	}{
		"as it should be":    {ten, answered("One two three four five, six seven eight nine ten."), ""},
		"a word wrong":       {ten, answered("One two three four five, six seven eight nine men."), ""},
		"two words wrong":    {ten, answered("One two three four five, six seven eight mine men."), "2 of 10 words are wrong"},
		"two turns of one":   {ten, answered("One two three four five", "six seven eight nine ten"), "2 turns, want 1"},
		"nothing heard":      {ten, answered(), "0 turns, want 1"},
		"noise taken for it": {Fixture{Name: "noise"}, answered("the"), "1 turns, want 0"},
		"noise":              {Fixture{Name: "noise"}, answered(), ""},
		"Spanish words":      {diez, answered("uno"), ""},
		"no answer":          {ten, Result{Turns: ten.Spoken}, "turn 1 was not answered aloud"},
		"a silent answer":    {ten, mute, "turn 1 was not answered aloud"},
		"an error":           {ten, failed, "stt_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := strings.Join((&Trial{Fixture: &tt.fixture, Result: &tt.result}).Judge(), "; ")
			if tt.want == "" && problems != "" || !strings.Contains(problems, tt.want) {
				t.Errorf("judged %q, want %q", problems, tt.want)
			}
		})
	}
}

func TestEcho(t *testing.T) {
	for name, tt := range map[string]struct {
		echo        Echo
		right, lost bool
	}{
		"understood":                {Echo{Tutor: worderror.Count{Errors: 1, Words: 10}}, true, false},
		"misunderstood":             {Echo{Tutor: worderror.Count{Errors: 2, Words: 10}}, false, true},
		"misunderstood anyway":      {Echo{Tutor: worderror.Count{Errors: 2, Words: 10}, Alone: worderror.Count{Errors: 2, Words: 10}}, false, false},
		"worse than misunderstood":  {Echo{Tutor: worderror.Count{Errors: 3, Words: 10}, Alone: worderror.Count{Errors: 2, Words: 10}}, false, true},
		"no caption, words made up": {Echo{Tutor: worderror.Count{Errors: 2}}, false, true},
	} {
		if tt.echo.Right() != tt.right || tt.echo.Lost() != tt.lost {
			t.Errorf("%s: right %v, lost %v", name, tt.echo.Right(), tt.echo.Lost())
		}
	}
}
