package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"kalami/session/learn"
)

// Rate is how often something may happen: Count times in each Per, evenly, of
// which Burst may come at once. Ten handshakes a minute are
// Rate{Count: 10, Per: time.Minute, Burst: 10}.
type Rate struct {
	Count int
	Per   time.Duration
	Burst int // 0 means 1
}

// Verdict is what became of one event.
type Verdict struct {
	// Allowed says whether it may happen; only then it was counted.
	Allowed bool
	// RetryAfter is when the next may come, of a refused event; 0 of an allowed one.
	RetryAfter time.Duration
	// Remaining is how many more could come at once.
	Remaining int
	// ResetAfter is when the whole burst is there again if nothing comes until then.
	ResetAfter time.Duration
}

// gcraScript is the generic cell rate algorithm. A key holds the theoretical
// arrival time: when the next event would come if all came evenly. An event is
// early by what that lies ahead, and may be early by the tolerance. The clock is
// the server's, so that nodes agree. Times are microseconds, which a double holds
// exactly for the next two centuries. It answers with whether the event may happen, by
// how much it came too early, and how far ahead the arrival time is now.
const gcraScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local early = arrival - now - tolerance
if early > 0 then
  return {0, string.format('%.0f', early), string.format('%.0f', arrival - now)}
end
local ahead = arrival - now + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1000))
return {1, '0', string.format('%.0f', ahead)}
`

// Allow asks whether what key names may happen once more at this rate, and if so
// counts it. An error says nothing about either: Unavailable when Redis does not answer
// (it may have been counted), Invalid for a rate that is none.
func (s *Store) Allow(ctx context.Context, key string, rate Rate) (Verdict, error) {
	const op = "live.Allow"
	interval, tolerance, err := rate.even(op)
	if err != nil {
		return Verdict{}, err
	}
	v, err := s.count(ctx, key, interval, tolerance)
	if err != nil {
		return Verdict{}, fail(op, err)
	}
	return v.remaining(interval, tolerance), nil
}

// AllowHere is Allow by what this process alone has counted, for when Redis does not answer.
// It begins with nothing counted, and forgets what has recovered: so of a key that comes to
// all of n nodes, n times the rate is let through, and the burst once more at each change
// between the two. Embedded, it is the same as Allow. Invalid for a rate that is none. It
// does not block.
func (s *Store) AllowHere(key string, rate Rate) (Verdict, error) {
	interval, tolerance, err := rate.even("live.AllowHere")
	if err != nil {
		return Verdict{}, err
	}
	here := &s.here
	if s.embedded != nil {
		here = &s.embedded.arrivals
	}
	return here.count(key, time.Now(), interval, tolerance).remaining(interval, tolerance), nil
}

// even is a rate as the algorithm has it; Invalid for what is no rate.
func (r Rate) even(op string) (interval, tolerance time.Duration, err error) {
	if r.Count < 1 || r.Burst < 0 || r.Per/time.Duration(max(r.Count, 1)) < time.Microsecond {
		return 0, 0, &learn.Error{Kind: learn.Invalid, Op: op, Msg: "The rate is not a rate"}
	}
	interval = (r.Per / time.Duration(r.Count)).Truncate(time.Microsecond)
	return interval, interval * time.Duration(max(r.Burst, 1)-1), nil
}

// remaining completes a verdict by how many more could come at once.
func (v Verdict) remaining(interval, tolerance time.Duration) Verdict {
	v.Remaining = int(max(0, (tolerance+interval-v.ResetAfter)/interval))
	return v
}

// count asks Redis, or who stands for it in this process.
func (s *Store) count(ctx context.Context, key string, interval, tolerance time.Duration) (Verdict, error) {
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return Verdict{}, err
		}
		return s.embedded.arrivals.count(key, time.Now(), interval, tolerance), nil
	}
	answer, err := s.scripts.gcra.Run(ctx, s.client, []string{s.key("rate", key)}, interval.Microseconds(), tolerance.Microseconds()).Slice()
	if err != nil {
		return Verdict{}, err
	}
	return readAnswer(answer)
}

// readAnswer decodes what the script returns: 1 or 0, and microseconds as text, twice.
func readAnswer(answer []any) (Verdict, error) {
	if len(answer) == 3 {
		n, isNumber := answer[0].(int64)
		early, err1 := readMicroseconds(answer[1])
		ahead, err2 := readMicroseconds(answer[2])
		if isNumber && err1 == nil && err2 == nil {
			return Verdict{Allowed: n == 1, RetryAfter: early, ResetAfter: ahead}, nil
		}
	}
	return Verdict{}, errors.New("live: the rate script gave an unexpected answer")
}

func readMicroseconds(v any) (time.Duration, error) {
	text, ok := v.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, fmt.Errorf("live: %q is not a number of microseconds", text)
	}
	return time.Duration(n) * time.Microsecond, nil
}
