package live

// Of a conversation there are two keys, under one hash tag. The first is a hash:
//
//	fence  the highest epoch that anybody has shown
//	epoch  that of whoever kept what follows and the log; at most the fence
//	owner  that node
//	state  the newest state, and seq, the event up to which it tells
//	op     the node's operation that kept the state: an older one that comes late, because
//	       it was on its way when its sender had given it up, does not take its place
//	first  the number of the log's first event
//	bytes  how long the log's events are together
//
// The second is the log, a list of events without their numbers: they follow on each
// other, so that the first one's place says all. That costs a few bytes an event, where a
// stream would keep an id and a field name with each.
//
// Both scripts answer with one of these.
const (
	answerSuperseded = 0
	answerKept       = 1
	answerLost       = 2
)

// keepScript stores a change. ARGV: epoch, node, operation, time to live in milliseconds,
// the log's limits in events and bytes, 1 for a state, its event's number, the state, the
// number of the first event, the events.
const keepScript = `
local live, log = KEYS[1], KEYS[2]
local epoch, op = tonumber(ARGV[1]), tonumber(ARGV[3])
local known = redis.call('HMGET', live, 'fence', 'epoch', 'op', 'first', 'bytes')
for i = 1, 5 do known[i] = tonumber(known[i] or '0') end
local last, first, bytes = known[3], known[4], known[5]
if epoch < known[1] then
  return 0
end
if epoch > known[2] then
  redis.call('DEL', live, log)
  redis.call('HSET', live, 'fence', ARGV[1], 'epoch', ARGV[1], 'owner', ARGV[2])
  last = 0
end
if ARGV[7] == '1' and op > last then
  redis.call('HSET', live, 'op', ARGV[3], 'seq', ARGV[8], 'state', ARGV[9])
end

local from, given, length = tonumber(ARGV[10]), #ARGV - 10, redis.call('LLEN', log)
local following = first + length
local lost = length == 0 and from ~= 1
if given > 0 then
  local hole = length > 0 and from > following
  local longer = length > 0 and from < first and from + given >= following
  if hole or longer then
    redis.call('DEL', log)
    lost, length = hole, 0
  end
  if length == 0 then
    first, bytes, following = from, 0, from
  end
  for i = 11 + following - from, #ARGV do
    redis.call('RPUSH', log, ARGV[i])
    bytes, length = bytes + string.len(ARGV[i]), i - 10 + from - first
  end
  while length > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6]) do
    bytes, length, first = bytes - string.len(redis.call('LPOP', log)), length - 1, first + 1
  end
  redis.call('HSET', live, 'first', string.format('%.0f', first), 'bytes', string.format('%.0f', bytes))
end
redis.call('PEXPIRE', live, ARGV[4])
redis.call('PEXPIRE', log, ARGV[4])
if lost or redis.call('HEXISTS', live, 'state') == 0 then
  return 2
end
return 1
`

// renewScript lengthens the life of a conversation, and raises the fence without touching
// what an older epoch has kept: its successor may not have read it yet. ARGV: epoch, time
// to live in milliseconds.
const renewScript = `
local live, log = KEYS[1], KEYS[2]
local epoch = tonumber(ARGV[1])
local known = redis.call('HMGET', live, 'fence', 'epoch')
local fence, kept = tonumber(known[1] or '0'), tonumber(known[2] or '0')
if epoch < fence then
  return 0
end
if epoch > fence then
  redis.call('HSET', live, 'fence', ARGV[1])
end
redis.call('PEXPIRE', live, ARGV[2])
redis.call('PEXPIRE', log, ARGV[2])
if kept ~= epoch or redis.call('EXISTS', log) == 0 or redis.call('HEXISTS', live, 'state') == 0 then
  return 2
end
return 1
`

// forgetScript removes a conversation of at most the epoch ARGV[1].
const forgetScript = `
if tonumber(redis.call('HGET', KEYS[1], 'fence') or '0') > tonumber(ARGV[1]) then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
`
