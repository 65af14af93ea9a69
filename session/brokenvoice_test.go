package session

import (
	"strings"
	"testing"
	"testing/synctest"

	"kalami/providers/failover"
)

// A voice that breaks off in the middle of a reply is followed by another: the reply is
// heard and stored whole, the learner is told of the other voice once, and nothing is
// shown as text alone.
func TestReplySurvivesItsVoice(t *testing.T) {
	for chunks := 1; chunks <= 3; chunks++ {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.tutor.replies = []string{courses, courses}
			second := &fakeVoice{}
			voice := failover.NewVoice(failover.Options{}, &fakeVoice{breaks: chunks}, second)
			k.host.Voice = voice
			k.start()
			k.greeted()
			k.send(CreateItem{Text: "¿Otra vez?"})
			k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
			k.finish()
			voice.Close()
			if got := k.captions(); got != courses+courses {
				t.Errorf("after %d pieces the learner reads %q", chunks, got)
			}
			if w := eventsOf[Warning](k.conn); len(w) != 1 || w[0].Code != WarnFallbackVoice {
				t.Errorf("warnings %+v", w)
			}
			if f := eventsOf[Failure](k.conn); len(f) != 0 {
				t.Errorf("failures %+v", f)
			}
			if m := k.journal.stored()[0]; m.Heard != courses || !strings.HasSuffix(m.Provider, ", voice fake") {
				t.Errorf("after %d pieces: stored %q by %q", chunks, m.Heard, m.Provider)
			}
		})
	}
}
