package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kalami/session/learn"
)

// ClipLimits bound what [Clips] keeps.
type ClipLimits struct {
	// Bytes of all clips together, and Entries of them; both are positive.
	Bytes, Entries int
	// Idle is how long a clip stays that nobody asks for; at least a second.
	Idle time.Duration
}

// Clips keeps clips of speech by key, the most recently used ones. Its methods may be
// called from any goroutine.
//
// All of its keys share one hash tag, so that a script may weigh them against each
// other; on a cluster they are one node's. The bounds hold for all nodes of Kalami
// together, as the last of them to keep a clip has them. A clip that expires by
// itself is counted until the next one is kept.
type Clips struct {
	store      *Store
	limits     ClipLimits
	keep, find *redis.Script
}

// Clips returns a keeper of clips; Invalid for limits that are none. It lives as long
// as the store.
func (s *Store) Clips(l ClipLimits) (*Clips, error) {
	if l.Bytes < 1 || l.Entries < 1 || l.Idle < time.Second {
		return nil, &learn.Error{Kind: learn.Invalid, Op: "live.Clips", Msg: "The limits of the clips are none"}
	}
	return &Clips{store: s, limits: l, keep: redis.NewScript(clipLibrary + keepClipScript), find: redis.NewScript(clipLibrary + findClipScript)}, nil
}

// clipLibrary begins both scripts. KEYS: the clip, the index (a sorted set of names by
// time of last use, in microseconds of the server's clock), and the sizes (a hash of
// bytes by name; their sum is under "total"). ARGV: the clip's name, idle milliseconds,
// and what each script needs.
const clipLibrary = `
local t = redis.call('TIME')
local now, idle = t[1] * 1000000 + t[2], tonumber(ARGV[2])
local clip, index, sizes = KEYS[1], KEYS[2], KEYS[3]
local prefix = string.sub(clip, 1, -1 - string.len(ARGV[1]))
local function forget(name)
  redis.call('DEL', prefix .. name)
  redis.call('ZREM', index, name)
  local size = redis.call('HGET', sizes, name)
  if size then
    redis.call('HDEL', sizes, name)
    redis.call('HINCRBY', sizes, 'total', '-' .. size)
  end
end
local function used(name)
  redis.call('ZADD', index, string.format('%.0f', now), name)
  for _, key in ipairs({clip, index, sizes}) do
    redis.call('PEXPIRE', key, idle)
  end
end
`

// keepClipScript keeps ARGV[3] and forgets the least recently used until there are no
// more than ARGV[4] bytes and ARGV[5] clips.
const keepClipScript = `
forget(ARGV[1])
redis.call('SET', clip, ARGV[3])
redis.call('HSET', sizes, ARGV[1], string.len(ARGV[3]))
redis.call('HINCRBY', sizes, 'total', string.len(ARGV[3]))
used(ARGV[1])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', string.format('%.0f', now - idle * 1000))) do
  forget(name)
end
local bytes, entries = tonumber(ARGV[4]), tonumber(ARGV[5])
while tonumber(redis.call('HGET', sizes, 'total')) > bytes or redis.call('ZCARD', index) > entries do
  local oldest = redis.call('ZRANGE', index, 0, 0)[1]
  if not oldest then -- an index that a full Redis evicted; nothing else can be found any more
    redis.call('DEL', sizes)
    break
  end
  forget(oldest)
end
return 1
`

// findClipScript returns a clip and notes that it was used.
const findClipScript = `
local found = redis.call('GET', clip)
if found then
  used(ARGV[1])
else
  forget(ARGV[1])
end
return found
`

// keys of the clip of that name, the index and the sizes. The name comes last, where
// the scripts look for it.
func (c *Clips) keys(name string) []string {
	const tag = "clips"
	return []string{c.store.key("clip", tag) + ":" + name, c.store.key("clip-index", tag), c.store.key("clip-sizes", tag)}
}

// Clip returns the clip that is kept under key; ok is false when there is none.
// Unavailable when Redis does not answer.
func (c *Clips) Clip(ctx context.Context, key string) (mp3 []byte, ok bool, err error) {
	const op = "live.Clip"
	found, err := c.find.Run(ctx, c.store.client, c.keys(key), key, c.limits.Idle.Milliseconds()).Text()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fail(op, err)
	}
	return []byte(found), true, nil
}

// KeepClip keeps a clip under key, in the place of what was there. One that is longer
// than the limit of all is not kept, which is no error. Invalid for a key that is empty
// or "total", Unavailable when Redis does not answer.
func (c *Clips) KeepClip(ctx context.Context, key string, mp3 []byte) error {
	const op = "live.KeepClip"
	if key == "" || key == "total" {
		return &learn.Error{Kind: learn.Invalid, Op: op, Msg: fmt.Sprintf("%q cannot be a clip's key", key)}
	}
	if len(mp3) > c.limits.Bytes {
		return nil
	}
	return fail(op, c.keep.Run(ctx, c.store.client, c.keys(key), key, c.limits.Idle.Milliseconds(), mp3, c.limits.Bytes, c.limits.Entries).Err())
}
