package learner

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/session"
)

// What is typed when the socket is about to be left, or gone, is said again on the next one
// until the server has named it.
func TestTypedMessageIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, old, _ := open(t)
		for i, text := range []string{"said and named", "said", "refused"} {
			if err := l.Send(session.CreateItem{ID: fmt.Sprint("it_c", i), Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		old.says(2, session.ItemAdded{Item: session.Item{ID: "it_c0", Role: "user"}})
		old.says(3, session.Failure{Error: session.Problem{EventID: "it_c2"}})
		synctest.Wait()
		old.end(io.EOF)
		synctest.Wait()
		if err := l.Send(session.CreateItem{ID: "it_c3", Text: "typed while away"}); err != nil {
			t.Errorf("typed while away: %v", err)
		}
		next := <-st.dialled
		next.says(3, resumed("kr_2", 0, nil))
		synctest.Wait()
		if got := typedIn(next); !slices.Equal(got, []string{"it_c1", "it_c3"}) {
			t.Errorf("said again are %v", got)
		}
		next.says(4, session.ItemDone{Item: session.Item{ID: "it_c1", Role: "user"}})
		next.says(5, session.ItemAdded{Item: session.Item{ID: "it_c3", Role: "user"}})
		synctest.Wait()
		time.Sleep(settled)
		next.end(io.EOF)
		last := <-st.dialled
		last.says(5, resumed("kr_3", 0, nil))
		synctest.Wait()
		if got := typedIn(last); len(got) != 0 {
			t.Errorf("named ones are said again: %v", got)
		}
		if err := l.Send(session.CreateItem{ID: "it_c4", Text: "what breaks a session"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		last.end(websocket.CloseError{Code: websocket.StatusInternalError})
		after := <-st.dialled
		after.says(5, resumed("kr_4", 0, nil))
		synctest.Wait()
		if got := typedIn(after); len(got) != 0 {
			t.Errorf("what may have broken the session is said again: %v", got)
		}
	})
}

// typedIn are the typed messages that a socket has brought by now.
func typedIn(s *socket) (ids []string) {
	_, events := s.got()
	for _, ev := range events {
		if item, ok := ev.(session.CreateItem); ok {
			ids = append(ids, item.ID)
		}
	}
	return ids
}
