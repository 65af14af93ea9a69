package srs

import "time"

// trusted is by how much a device's clock may differ from ours without being corrected: as
// much may be the way that a request took.
const trusted = 2 * time.Minute

// Skew is by how much a device's clock is ahead of ours, negative when it is behind: it said
// that it was clientNow in a request that was received at received. 0 up to two minutes
// either way, and when the device said nothing (zero).
func Skew(clientNow, received time.Time) time.Duration {
	if clientNow.IsZero() {
		return 0
	}
	if ahead := clientNow.Sub(received); ahead > trusted || ahead < -trusted {
		return ahead
	}
	return 0
}

// When is the time at which something happened to a card, in UTC and whole microseconds, as
// everything that is stored: what the device said (raw), corrected by its skew, and then not
// after it was received (if that is not zero) nor before the card was made. When it was
// received before the card was made, because clocks of ours differ, it is when the card was.
func When(raw time.Time, skew time.Duration, created, received time.Time) time.Time {
	at := raw.Add(-skew)
	if !received.IsZero() && at.After(received) {
		at = received
	}
	return notBefore(at, created)
}

// notBefore returns the latest of the times, in UTC and whole microseconds.
func notBefore(at time.Time, earliest ...time.Time) time.Time {
	for _, t := range earliest {
		if at.Before(t) {
			at = t
		}
	}
	return at.UTC().Truncate(time.Microsecond)
}
