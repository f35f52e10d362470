-- Raise a counter to what is recorded for it, should it know of less.
-- KEYS: the organization's epoch, the counter   ARGV: generation, units recorded, when its key expires (0 = never)
-- Returns by how much it was raised.
local trusted = tonumber(redis.call('GET', KEYS[1]) or '0')
if trusted == 0 or trusted < tonumber(ARGV[1]) then return 0 end
local function int(number) return string.format('%.0f', number) end

local life, used, settled = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'used', 'settled'))
local new = tonumber(life or '0') ~= trusted
if new then used, settled = 0, 0 end
local missing = math.max(0, tonumber(ARGV[2]) - used)
if missing == 0 then return 0 end
if new then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], 'epoch', int(trusted), 'used', int(used + missing), 'settled', int(settled + missing))
if new and tonumber(ARGV[3]) > 0 then redis.call('PEXPIREAT', KEYS[2], ARGV[3]) end
return missing
