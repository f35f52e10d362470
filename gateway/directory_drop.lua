-- Remove records that the full publish no longer has, unless they changed since it began.
-- KEYS: rev hash, digest hash   ARGV: per record kind, its hash, id, rev as it was
local dropped = 0
for i = 1, #ARGV, 4 do
  local kind, hash, id, rev = unpack(ARGV, i, i + 3)
  local name = kind .. ':' .. id
  if redis.call('HGET', KEYS[1], name) == rev then
    local old = kind == 'key' and redis.call('HGET', hash, id)
    for _, digest in ipairs(old and cjson.decode(old).digests or {}) do
      if redis.call('HGET', KEYS[2], digest) == id then redis.call('HDEL', KEYS[2], digest) end
    end
    redis.call('HDEL', hash, id)
    redis.call('HDEL', KEYS[1], name)
    dropped = dropped + 1
  end
end
return dropped
