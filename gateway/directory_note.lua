-- Append an entry that is no record to the directory's log; with an epoch: the server is whole from here on,
-- unless it was emptied since the full publish began.
-- KEYS: log, version, count, epoch, filling, rev hash
-- ARGV: log length, kind, id, body, epoch ("" = leave), records published under it
-- Returns the entry's id.
if ARGV[5] ~= '' then
  if redis.call('HDEL', KEYS[5], ARGV[5]) == 0 or redis.call('HLEN', KEYS[6]) < tonumber(ARGV[6]) then
    return redis.error_reply('EMPTIED the directory was emptied while it was filled')
  end
  redis.call('SET', KEYS[4], ARGV[5])
end
local n = redis.call('INCR', KEYS[3])
local version = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'n', n, 'kind', ARGV[2], 'id', ARGV[3], 'record', ARGV[4])
redis.call('SET', KEYS[2], version)
return version
