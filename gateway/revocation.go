package gateway

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// askSignIns ends the sessions of users whose sign-ins were ended, or who were erased, on
// another node whose notice did not come, as while Redis is away; false when the database
// did not answer, and is to be asked again soon.
func (s *Server) askSignIns(ctx context.Context) bool {
	oldest := s.live.signedIn()
	if s.opts.SignIns == nil || len(oldest) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	now, err := s.opts.SignIns.TokenVersions(ctx, slices.Collect(maps.Keys(oldest)))
	if err != nil {
		return errors.Is(err, context.Canceled)
	}
	for user, version := range oldest {
		if current, there := now[user]; !there || current > version {
			s.voice.endUser(user)
		}
	}
	return true
}

// signedIn returns the users who have sessions that clients can come back to, each with the
// oldest token version of theirs.
func (r *registry) signedIn() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := map[string]int{}
	for s := range r.seats {
		if s.user == "" || s.tokens == nil {
			continue
		}
		version := s.tokens.conversation.TokenVersion
		if known, there := oldest[s.user]; !there || version < known {
			oldest[s.user] = version
		}
	}
	return oldest
}
