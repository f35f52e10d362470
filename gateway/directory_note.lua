-- Append an entry that is no record to the directory's log; with an epoch: the server is whole from here on.
-- KEYS: log, version, count, epoch   ARGV: log length, kind, id, body, epoch ("" = leave)
-- Returns the entry's id.
local n = redis.call('INCR', KEYS[3])
local version = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'n', n, 'kind', ARGV[2], 'id', ARGV[3], 'record', ARGV[4])
redis.call('SET', KEYS[2], version)
if ARGV[5] ~= '' then redis.call('SET', KEYS[4], ARGV[5]) end
return version
