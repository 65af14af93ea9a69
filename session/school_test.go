package session

import (
	"context"
	"testing"
	"testing/synctest"

	"kalami/providers"
	"kalami/session/learn"
)

// toldEar is a recogniser that notes for whom it is asked.
type toldEar struct {
	*fakeRecognizer
	tenants []string
}

func (r *toldEar) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	r.tenants = append(r.tenants, providers.TenantOf(ctx))
	return r.fakeRecognizer.Listen(ctx, opt)
}

// A school's learners share its part of the vendors; those without a school share nothing.
func TestVendorsKnowWhoseLearnerItIs(t *testing.T) {
	for tenant, want := range map[string]string{"school-1": "school-1", learn.PersonalTenant: ""} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.params.Conversation.TenantID = tenant
			r := &toldEar{fakeRecognizer: k.hears}
			k.host.Recognizer = r
			k.start()
			k.greeted()
			k.finish()
			if len(r.tenants) != 1 || r.tenants[0] != want {
				t.Errorf("a learner of %q: the recogniser was asked for %q", tenant, r.tenants)
			}
		})
	}
}
