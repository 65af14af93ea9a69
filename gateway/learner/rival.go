package learner

import (
	"time"

	"github.com/coder/websocket"
)

// rivalFor is how long an attempt that was given up may still come to be.
const rivalFor = 30 * time.Second

// rival is an attempt to come back that the client has given up without an answer. A server
// that was slow may take it for the newer of two after another attempt has succeeded: it
// then supersedes the client's own session, and its token is the one that is good.
type rival struct {
	token string
	at    time.Time
}

// giveUp notes a failed attempt with a resume token, unless the server has closed its socket.
func (l *Lesson) giveUp(token string, err error) {
	if websocket.CloseStatus(err) != -1 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rival = rival{token, time.Now()}
}

// ownDoing says whether the lesson was superseded by an attempt of its own, and takes that
// one's token. Somebody else who has opened the conversation is believed at once: that is
// how two devices do not take it from each other for ever.
func (l *Lesson) ownDoing(cause error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rival
	if websocket.CloseStatus(cause) != codeSuperseded || r.token == "" || time.Since(r.at) > rivalFor {
		return false
	}
	l.token, l.rival = r.token, rival{}
	return true
}
