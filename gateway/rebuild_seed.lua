-- Set an organization's quota counters and begin their new life.
-- KEYS: the organization's epoch, then one key per counter; all of one hash tag
-- ARGV: epoch, then per counter: units recorded, when its key expires (0 = never), how many owners, then per owner:
--       owner, units outstanding, last seq sent, last line of its journal counted
-- Returns 1; 0 if a later life has begun.
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
local function int(number) return string.format('%.0f', number) end

local a = 2
for i = 2, #KEYS do
  local recorded, expires, owners = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local used = recorded
  a = a + 3
  redis.call('DEL', KEYS[i])
  for _ = 1, owners do
    local owner, units, sent, since = unpack(ARGV, a, a + 3)
    used = used + tonumber(units)
    redis.call('HSET', KEYS[i], 'o:' .. owner, table.concat({units, '0', '0', sent, since}, ' '))
    a = a + 4
  end
  redis.call('HSET', KEYS[i], 'epoch', ARGV[1], 'used', int(used), 'settled', int(recorded))
  if expires > 0 then redis.call('PEXPIREAT', KEYS[i], expires) end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
