-- Settle what a dead worker held of one counter: it spent `spent`, the rest goes back. Nothing of it counts afterwards.
-- KEYS: the organization's epoch, the counter   ARGV: epoch, owner, spent
-- Returns 1; 0 if the counter lives in another epoch or never heard of the owner.
local LAST = '9007199254740991'  -- no sequence number is newer: a late request of the dead is granted nothing
local life, used, settled, mine = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'used', 'settled', 'o:' .. ARGV[2]))
if redis.call('GET', KEYS[1]) ~= ARGV[1] or life ~= ARGV[1] or not mine then return 0 end
local function int(number) return string.format('%.0f', number) end

local granted, spent_before, returned, _, since = string.match(mine, '(%d+) (%d+) (%d+) (%d+) (%d+)')
local spent = tonumber(ARGV[3])
local all = math.max(tonumber(granted), spent)
redis.call('HSET', KEYS[2],
  'used', int(used + spent - (granted - returned)),
  'settled', int(settled + spent - spent_before),
  'o:' .. ARGV[2], table.concat({int(all), int(spent), int(all - spent), LAST, since}, ' '))
return 1
