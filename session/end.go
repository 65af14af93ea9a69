package session

// EndReason is why a session's connection ends: the closed list that package
// gateway maps to WebSocket close codes, in one table.
type EndReason string

// The reasons, each with the close code that it becomes.
const (
	EndNormal           EndReason = "normal"            // 1000
	EndGone             EndReason = "gone"              // the client closed or vanished; nothing is sent
	EndGoingAway        EndReason = "going_away"        // 1001
	EndProtocolError    EndReason = "protocol_error"    // 1002
	EndWrongFrameType   EndReason = "wrong_frame_type"  // 1003
	EndBadUTF8          EndReason = "invalid_utf8"      // 1007
	EndPolicy           EndReason = "policy"            // 1008
	EndTooBig           EndReason = "message_too_large" // 1009
	EndInternal         EndReason = "internal_error"    // 1011
	EndRestart          EndReason = "restart"           // 1012, end of a drain
	EndOverloaded       EndReason = "overloaded"        // 1013
	EndHeartbeatTimeout EndReason = "heartbeat_timeout" // 4100
	EndSlowConsumer     EndReason = "slow_consumer"     // 4101
	EndMoved            EndReason = "moved"             // 4102
	EndResumeExpired    EndReason = "resume_expired"    // 4200
	EndSessionLost      EndReason = "session_lost"      // 4201
	EndMaxDuration      EndReason = "max_duration"      // 4202
	EndBadRequest       EndReason = "bad_request"       // 4400
	EndUnauthorised     EndReason = "unauthorized"      // 4401
	EndQuota            EndReason = "quota_exhausted"   // 4402
	EndForbidden        EndReason = "forbidden"         // 4403
	EndUnknownSession   EndReason = "unknown_session"   // 4404
	EndIdle             EndReason = "idle_timeout"      // 4408
	EndSuperseded       EndReason = "superseded"        // 4409
	EndRateLimited      EndReason = "rate_limited"      // 4429
)

// EndReasons returns all reasons, in the order of their close codes.
func EndReasons() []EndReason {
	return []EndReason{
		EndNormal, EndGone, EndGoingAway, EndProtocolError, EndWrongFrameType, EndBadUTF8, EndPolicy, EndTooBig, EndInternal,
		EndRestart, EndOverloaded, EndHeartbeatTimeout, EndSlowConsumer, EndMoved, EndResumeExpired, EndSessionLost, EndMaxDuration,
		EndBadRequest, EndUnauthorised, EndQuota, EndForbidden, EndUnknownSession, EndIdle, EndSuperseded, EndRateLimited,
	}
}

// final says whether the client is to stop and not to come back: the reasons of the
// codes 1000 and 44xx, which [Ended] announces.
func (r EndReason) final() bool {
	switch r {
	case EndNormal, EndBadRequest, EndUnauthorised, EndQuota, EndForbidden, EndUnknownSession, EndIdle, EndSuperseded, EndRateLimited:
		return true
	}
	return false
}

// closes says whether the conversation is over with the session: the learner is done with it.
func (r EndReason) closes() bool {
	switch r {
	case EndNormal, EndIdle, EndMaxDuration, EndQuota, EndForbidden:
		return true
	}
	return false
}

// End is how a session's connection ended. It is an error so that it can be the
// cause of a context and travel up through the pipeline.
type End struct {
	Reason EndReason
	// Code is the close reason text; empty means the reason's own name.
	Code Code
	// Err is for the log, or nil.
	Err error
}

// Error implements error.
func (e *End) Error() string {
	s := "session: " + string(e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *End) Unwrap() error { return e.Err }
