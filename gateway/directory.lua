-- Publish records: an older or equal rev never replaces a newer one, and what is replaced is announced in the log.
-- KEYS: rev hash, digest hash, log, version, count
-- ARGV: quiet ("1": part of a full publish; equal revs replace too, nothing is logged), log length,
--       then per record: kind, its hash, id, rev, JSON, digests (space-separated hex; keys only)
-- Returns how many records were taken.
local rev_key, digest_key, log_key, version_key, count_key = unpack(KEYS)
local quiet, log_length = ARGV[1] == '1', ARGV[2]
local taken = 0

local function keep_digests(hash, id, digests)
  local wanted = {}
  for digest in string.gmatch(digests, '%S+') do
    wanted[digest] = true
    redis.call('HSET', digest_key, digest, id)
  end
  local old = redis.call('HGET', hash, id)
  if not old then return end
  for _, digest in ipairs(cjson.decode(old).digests or {}) do
    if not wanted[digest] and redis.call('HGET', digest_key, digest) == id then
      redis.call('HDEL', digest_key, digest)
    end
  end
end

for i = 3, #ARGV, 6 do
  local kind, hash, id, rev, record, digests = unpack(ARGV, i, i + 5)
  local name = kind .. ':' .. id
  local known = tonumber(redis.call('HGET', rev_key, name) or '-1')
  local newer = tonumber(rev) > known or (quiet and tonumber(rev) == known)
  if newer then
    if kind == 'key' then keep_digests(hash, id, digests) end
    redis.call('HSET', hash, id, record)
    redis.call('HSET', rev_key, name, rev)
    taken = taken + 1
    if not quiet then
      local n = redis.call('INCR', count_key)
      local version = redis.call('XADD', log_key, 'MAXLEN', '~', log_length, '*', 'n', n, 'kind', kind, 'id', id, 'record', record)
      redis.call('SET', version_key, version)
    end
  end
end
return taken
