package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kalami/providers/simulate"
)

// The original had sixteen faults, found by reading it. This table says which test shows
// that each is absent here, by number, folder and test; those of this file run against a
// whole server, on SQLite and on Postgres.
//
//	 1  one profile could not be read                     gateway TestFault01ProfileShape
//	 2  a profile with sessions could not be deleted      gateway TestFault02DeletedProfileWithSessions
//	 3  "speaking time" was the clock's, twice at the end session TestVoicedTime, gateway TestFault03EndSessionTwice
//	 4  streaks by UTC, alive when dead                   session/learn TestStreak, session/learn TestStreakZones
//	 5  the learner's words reached the model twice       cmd/kalami TestFaultsOfTurns
//	 6  vocabulary was never written                      store TestAnalysesOnSQLite
//	 7  corrections stood on the tutor's message          cmd/kalami TestFaultsOfTurns, gateway TestFault07And13Messages
//	 8  nothing could be spoken before all was written    cmd/kalami TestFaultsOfTurns
//	 9  speed was the voice's "stability"                 providers/elevenlabs TestSynthesizerConforms
//	10  text for eyes was read aloud, brackets and all    session TestSpeakable
//	11  silence was answered                              cmd/kalami TestFaultsOfTurns, session TestUnheardTurn
//	12  the "stream" was no stream                        cmd/kalami TestClipBeginsBeforeItsEndIsMade, providers/elevenlabs TestSynthesizerConforms
//	13  times had no zone                                 cmd/kalami TestOriginalApp (every answer), gateway TestFault07And13Messages
//	14  nothing had a limit, and any page was let in      cmd/kalami TestFaultsOfLimits, gateway TestReadPage, gateway TestTooLargeRecordings
//	15  a token could not be renewed                      cmd/kalami TestOriginalApp, gateway TestRefreshReplayAndReuse, gateway TestVoiceByBearer
//	16  end_session ended nothing                         cmd/kalami TestOriginalApp, gateway TestOriginalLesson
//
// TestFaultTable fails when a test of the table is gone.
const faultTable = "faults_test.go"

func TestFaultTable(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(faultTable)
	if err != nil {
		t.Fatal(err)
	}
	row, shown := regexp.MustCompile(`([a-z/]+) (Test\w+)`), map[string]bool{}
	for line := range strings.Lines(string(source)) {
		number, _, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "//\t")), "  ")
		if !strings.HasPrefix(line, "//\t") || !ok {
			continue
		}
		for _, m := range row.FindAllStringSubmatch(line, -1) {
			shown[number] = true
			if !declared(t, "../../"+m[1], m[2]) {
				t.Errorf("fault %s: there is no %s in %s", number, m[2], m[1])
			}
		}
	}
	if len(shown) != 16 {
		t.Errorf("%d faults are shown to be absent, want 16: %v", len(shown), slices.Sorted(maps.Keys(shown)))
	}
}

// declared says whether a folder's tests have one of this name.
func declared(t *testing.T, folder, name string) bool {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(folder + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(source, []byte("\nfunc "+name+"(")) {
			return true
		}
	}
	return false
}

// What the original did wrong with a turn: faults 5, 7, 8 and 11.
func TestFaultsOfTurns(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		p := newOriginalPhone(t, h.url())
		p.joinsAndSignsIn()
		session := "/conversations/sessions/" + p.opensSession(p.choosesLanguage())
		const said = "Yo soy muy cansado porque trabajo mucho."
		p.send("POST", session+"/text", object{"text": "Hola, ¿qué tal?"}, http.StatusOK)
		turn := read(t, p.send("POST", session+"/text", object{"text": said}, http.StatusOK), turnShape())

		reply := h.asked.replies()[1]
		times := 0
		for n := range reply.Messages {
			if _, line := reply.line(n + 1); strings.Contains(line, said) {
				times++
			}
		}
		if role, _ := reply.line(1); times != 1 || role != "user" {
			t.Errorf("fault 5: the model got the learner's words %d times, last from the %s: %+v", times, role, reply.Messages)
		}
		messages := readList(t, p.send("GET", session+"/messages", nil, http.StatusOK), messageShape())
		for i, want := range []int{0, 0, 1, 0} {
			if got := messages[i]["grammar_corrections"].([]any); len(got) != want {
				t.Errorf("fault 7: message %d by the %v has the corrections %v", i, messages[i]["role"], got)
			}
		}
		if !reply.Stream || reply.OutputConfig != nil || turn["assistant_text"] != simulate.Scripts()["es"].Turns[1].Tutor {
			t.Errorf("fault 8: the reply was asked for as %s (streamed: %v) and is %v", reply.OutputConfig, reply.Stream, turn["assistant_text"])
		}

		before := h.asked.total()
		silent := read(t, p.send("POST", session+"/audio", object{"audio_base64": silence(), "format": "wav"}, http.StatusOK),
			shape{"user_text": truly(""), "code": truly("not_heard"), "assistant_audio_base64": null, "user_message_id": null})
		if asked := h.asked.total() - before; asked != 1 { // the recogniser alone
			t.Errorf("fault 11: %d vendors were asked about silence, answered with %v", asked, silent)
		}
		if after := readList(t, p.send("GET", session+"/messages", nil, http.StatusOK), messageShape()); len(after) != len(messages) {
			t.Errorf("fault 11: silence left %d messages", len(after)-len(messages))
		}
	})
}

// truly is a value and no other.
func truly(want any) kind { return func(v any) bool { return v == want } }

// silence is a second of nothing in WAV, in base64.
func silence() string {
	const bytes = 32_000
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), 36+bytes)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	return base64.StdEncoding.EncodeToString(append(binary.LittleEndian.AppendUint32(b, bytes), make([]byte, bytes)...))
}

// What the original let anybody do: fault 14.
func TestFaultsOfLimits(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		p := newOriginalPhone(t, h.url())
		p.joinsAndSignsIn()
		for _, limit := range []string{"-1", "0", "1000000", "99999999999999999999", "many"} {
			p.send("GET", "/conversations/sessions?limit="+limit, nil, http.StatusUnprocessableEntity)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.url()+"/users/profiles", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		res, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if origin := res.Header.Get("Access-Control-Allow-Origin"); origin != "" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("any page may call as its visitor: %v", res.Header)
		}
	})
}
