-- Claim units for one call, or tell totals; all claims are granted or none is (docs/decisions/0007-counters-and-leases.md).
-- KEYS: the organization's epoch, then one key per counter; all of one hash tag
-- ARGV: owner, seq, epoch, generation, since, then per counter:
--       kind, need, want, granted, settled, returned, limit, version, hard, window end, refill, refill ms
-- Returns status, epoch (0: not to be trusted), Redis ms, index of the claim that is short, then per counter:
--       granted, settled, returned (this owner's totals), limit, remaining, reset ms, outstanding, wait ms
--
-- A quota:  epoch (of another one: void), used, settled (of all owners), version, limit, and per owner
--           o:<owner> = "granted settled returned seq since"; used = all granted - all returned (and what a rebuild
--           found), and no grant raises it above the limit.
-- A bucket: level (tokens × refill ms, so that every millisecond adds a whole number), at, limit, version, refill, ms.
local GRACE, KEEP = 2000, 3600000  -- ms after a window's end: claims are granted, the key is kept
local SLACK = 5000  -- ms that a full bucket is kept: longer than any worker holds on to an old version of its limit
local WIDTH = 12

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local owner, seq, epoch, generation, since = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local at = clock()
local trusted = tonumber(redis.call('GET', KEYS[1]) or '0')
if generation == 0 or trusted < generation or trusted < epoch then trusted = 0 end
if trusted > 0 and epoch > 0 and epoch < trusted then return {'moved', trusted, at, 0} end

local function int(number) return string.format('%.0f', number) end

-- The newest version of a limit rules, whoever comes with an older one.
local function keep_newest(c, version, limit, refill, ms)
  if version and tonumber(version) > c.version then
    c.version, c.limit, c.refill, c.ms = tonumber(version), tonumber(limit), tonumber(refill or 0), tonumber(ms or 0)
  end
end

local quota = {}

function quota.load(c)
  c.over = c.ends > 0 and at >= c.ends + GRACE
  if trusted == 0 then
    c.used, c.spent, c.seq = c.granted - c.returned, c.settled, 0
    return
  end
  local life, used, spent, version, limit, mine =
    unpack(redis.call('HMGET', c.key, 'epoch', 'used', 'settled', 'version', 'limit', 'o:' .. owner))
  c.new = tonumber(life or '0') ~= trusted
  if c.new then used, spent, version, limit, mine = nil, nil, nil, nil, nil end
  local g, s, r, q, b = string.match(mine or '0 0 0 0 ' .. since, '(%d+) (%d+) (%d+) (%d+) (%d+)')
  g, s, r, c.seq, c.since = tonumber(g), tonumber(s), tonumber(r), tonumber(q), b
  c.granted, c.settled, c.returned = math.max(g, c.granted), math.max(s, c.settled), math.max(r, c.returned)
  c.used = tonumber(used or '0') + (c.granted - g) - (c.returned - r)
  c.spent = tonumber(spent or '0') + (c.settled - s)
  keep_newest(c, version, limit)
end

function quota.room(c) return c.hard and c.limit - c.used or c.want end

function quota.take(c, units) c.granted, c.used = c.granted + units, c.used + units end

function quota.save(c)
  if trusted == 0 or (c.new and c.over) then return end
  local mine = table.concat({int(c.granted), int(c.settled), int(c.returned), int(math.max(c.seq, seq)), c.since}, ' ')
  if c.new then redis.call('DEL', c.key) end
  redis.call('HSET', c.key, 'epoch', int(trusted), 'used', int(c.used), 'settled', int(c.spent),
    'version', int(c.version), 'limit', int(c.limit), 'o:' .. owner, mine)
  if c.new and c.ends > 0 then redis.call('PEXPIREAT', c.key, int(c.ends + KEEP)) end
end

function quota.tell(c)
  return c.granted, c.settled, c.returned, c.limit, math.max(0, c.limit - c.used),
    c.ends > 0 and math.max(0, c.ends - at) or 0, c.used - c.spent, 0
end

local bucket = {}

function bucket.load(c)
  local level, last, version, limit, refill, ms =
    unpack(redis.call('HMGET', c.key, 'level', 'at', 'version', 'limit', 'refill', 'ms'))
  keep_newest(c, version, limit, refill, ms)
  c.full, c.at = c.limit * c.ms, math.max(at, tonumber(last or '0'))  -- a clock that falls behind refills nothing twice
  c.level = c.full
  if level then
    local now = tonumber(level) + (c.at - last) * refill
    c.level = math.min(c.full, tonumber(ms) == c.ms and now or math.floor(now / ms * c.ms))
  end
end

function bucket.room(c) return math.floor(c.level / c.ms) end

function bucket.take(c, units) c.given, c.level = units, c.level - units * c.ms end

function bucket.save(c)
  redis.call('HSET', c.key, 'level', int(c.level), 'at', int(c.at), 'version', int(c.version), 'limit', int(c.limit),
    'refill', int(c.refill), 'ms', int(c.ms))
  redis.call('PEXPIREAT', c.key, int(c.at + math.ceil((c.full - c.level) / c.refill) + SLACK))
end

function bucket.tell(c)
  return c.given or 0, 0, 0, c.limit, math.floor(c.level / c.ms), math.ceil((c.full - c.level) / c.refill), 0,
    math.max(0, math.ceil((c.need * c.ms - c.level) / c.refill))
end

local counters, asking, stuck, old, ended, short = {}, false, false, false, false, 0
for i = 2, #KEYS do
  local a = 6 + (i - 2) * WIDTH
  local kind, need, want, granted, settled, returned, limit, version, hard, ends, refill, ms = unpack(ARGV, a, a + WIDTH - 1)
  local c = {
    key = KEYS[i], kind = kind == 'quota' and quota or bucket, need = tonumber(need), want = tonumber(want),
    granted = tonumber(granted), settled = tonumber(settled), returned = tonumber(returned), limit = tonumber(limit),
    version = tonumber(version), hard = hard == '1', ends = tonumber(ends), refill = math.max(1, tonumber(refill)), ms = math.max(1, tonumber(ms)),
  }
  c.kind.load(c)
  asking = asking or c.need > 0
  stuck = stuck or (c.kind == quota and c.hard and c.need > 0)
  old = old or (c.kind == quota and trusted > 0 and seq <= c.seq)
  ended = ended or (c.over and c.need > 0)
  if short == 0 and c.need > 0 and c.kind.room(c) < c.need then short = i - 1 end
  counters[i - 1] = c
end
if trusted == 0 and (stuck or not asking) then return {'rebuild', 0, at, 0} end

local status = old and 'old' or ended and 'ended' or short > 0 and 'refused' or 'ok'
local reply = {status, trusted, at, status == 'refused' and short or 0}
for _, c in ipairs(counters) do
  if status == 'ok' and c.need > 0 then c.kind.take(c, math.min(c.want, c.kind.room(c))) end
  c.kind.save(c)
  for _, number in ipairs({c.kind.tell(c)}) do reply[#reply + 1] = number end
end
return reply
