package gateway

import (
	"testing"

	"kalami/gateway/wire"
	"kalami/session"
)

// What clients are told is what is enforced, and a setting is good or bad whichever way
// it comes in.
func TestLimitsAgree(t *testing.T) {
	told := session.DefaultLimits
	if told.MaxTextBytes != wire.MaxTextBytes || told.MaxAudioBytes != wire.MaxAudioBytes {
		t.Errorf("session.created tells %+v; enforced are %d and %d", told, wire.MaxTextBytes, wire.MaxAudioBytes)
	}
	if minSpeed != wire.MinSpeed || maxSpeed != wire.MaxSpeed {
		t.Errorf("speed from %v to %v by REST, from %v to %v by socket", minSpeed, maxSpeed, wire.MinSpeed, wire.MaxSpeed)
	}
	if minPatienceMS != session.MinPatience.Milliseconds() || maxPatienceMS != session.MaxPatience.Milliseconds() {
		t.Errorf("patience from %d to %d ms by REST, from %v to %v by socket", minPatienceMS, maxPatienceMS, session.MinPatience, session.MaxPatience)
	}
}
