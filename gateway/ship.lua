-- Put whole lines into the usage stream and note how far that boot's journal is in it: both or nothing, and only
-- from where the sender believes it to be (a late, repeated or doubled send changes nothing).
-- KEYS: stream, shipped hash   ARGV: boot, the mark as it should be ("" = none), the new mark without its entry, fields…
-- Returns {1, new mark} or {0, the mark as it is}.
local was = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if was ~= ARGV[2] then return {0, was} end
local entry = redis.call('XADD', KEYS[1], '*', 'boot', ARGV[1], unpack(ARGV, 4))
local now = ARGV[3] .. entry
redis.call('HSET', KEYS[2], ARGV[1], now)
return {1, now}
