package live

import (
	"context"
	"errors"
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

// gcraScript is the generic cell rate algorithm. A key holds the theoretical
// arrival time: when the next event would come if all came evenly. An event is
// early by what that lies ahead, and may be early by the tolerance. The clock is
// the server's, so that nodes agree. Times are microseconds, which a double holds
// exactly for the next two centuries.
const gcraScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local early = arrival - now - tolerance
if early > 0 then
  return {0, string.format('%.0f', early)}
end
local ahead = arrival - now + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1000))
return {1, '0'}
`

// Allow asks whether what key names may happen once more at this rate, and if so
// counts it. If not, retryAfter says when it next may. An error says nothing
// about either: Unavailable when Redis does not answer (it may have been counted),
// Invalid for a rate that is none.
func (s *Store) Allow(ctx context.Context, key string, rate Rate) (ok bool, retryAfter time.Duration, err error) {
	const op = "live.Allow"
	if rate.Count < 1 || rate.Burst < 0 || rate.Per/time.Duration(max(rate.Count, 1)) < time.Microsecond {
		return false, 0, &learn.Error{Kind: learn.Invalid, Op: op, Msg: "The rate is not a rate"}
	}
	interval := (rate.Per / time.Duration(rate.Count)).Microseconds()
	tolerance := interval * int64(max(rate.Burst, 1)-1)
	answer, err := s.gcra.Run(ctx, s.client, []string{s.key("rate", key)}, interval, tolerance).Slice()
	if err != nil {
		return false, 0, fail(op, err)
	}
	allowed, wait, err := readAnswer(answer)
	if err != nil {
		return false, 0, fail(op, err)
	}
	return allowed, wait, nil
}

// readAnswer decodes what the script returns: 1 or 0, and microseconds as text.
func readAnswer(answer []any) (allowed bool, wait time.Duration, err error) {
	if len(answer) == 2 {
		n, isNumber := answer[0].(int64)
		text, isText := answer[1].(string)
		wait, perr := time.ParseDuration(text + "us")
		if isNumber && isText && perr == nil && wait >= 0 {
			return n == 1, wait, nil
		}
	}
	return false, 0, errors.New("live: the rate script gave an unexpected answer")
}
