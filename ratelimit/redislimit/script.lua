-- Charges a key: one token bucket, or several at once.
--
-- A bucket is kept as the instant at which it is full again, in microseconds of
-- this server's clock: whole ones, and a part in units of 1/unit. The caller has
-- divided already, so all that happens here are sums of integers below 2^53, which
-- are exact in floating point.
--
-- There are two forms. Most limiters have one limit, of which a token takes whole
-- microseconds. Then the key is one number, and there are no tables, for they cost
-- more than the sums:
--
--   KEYS[1]  the key, a string "whole"
--   ARGV[1]  one
--   ARGV[2]  the time in which the bucket fills
--   then     the time that each charge costs
--   returns  how far ahead of now the instant was before the charges
--
-- The other is for all limits:
--
--   KEYS[1]  the key, a string "whole part" for each limit, separated by spaces
--   ARGV[1]  the number of limits
--   then     for each limit: unit, whole and part of the time in which it fills
--   then     for each charge and limit: whole and part of the time that it costs
--   returns  how far ahead of now each was before the charges, as whole, part, ...
--
-- An exclamation mark at the end of ARGV[1] says: if the first charge does not pass,
-- the others are not tried. What the charges come to is a matter of the same sums,
-- which the caller does again.
local call, key = redis.call, KEYS[1]
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local saved = call('GET', key)

-- 1000000: a debt above what fills the bucket has another cause than charges. The clock
-- went back, or the limit was another. It is cut to that, with a second's grace, and
-- written down at once, or it would be cut anew until the clock is where it was.
--
-- + 2: what is forgotten early would be forgiven. A millisecond for the part and the
-- rounding, and one because the server counts from the start of its millisecond.

if ARGV[1] == 'one' or ARGV[1] == 'one!' then
  local last, changed = now + ARGV[2], false
  local whole = tonumber(saved or 0) or tonumber(string.match(saved, '^%d+') or 0) or 0
  if whole > last + 1000000 then
    whole, changed = last, true
  elseif not (whole > now) then
    whole = now
  end
  local debt, passed = whole - now, false
  for at = 3, #ARGV do
    local w = whole + ARGV[at]
    if w <= last then
      whole, passed = w, true
    elseif not passed and ARGV[1] == 'one!' then
      break
    end
  end
  if passed or changed then
    call('SET', key, string.format('%.0f', whole), 'PX', math.floor((whole - now) / 1000) + 2)
  end
  return debt
end

local limits, stop = string.match(ARGV[1], '(%d+)(!?)')
limits = tonumber(limits)
local numbers = {}
for digits in string.gmatch(saved or '', '%d+') do
  numbers[#numbers + 1] = tonumber(digits) or 0
end
local unit, last, lastPart = {}, {}, {}
local whole, part, debts, changed = {}, {}, {}, false
for i = 1, limits do
  unit[i], last[i], lastPart[i] = tonumber(ARGV[3 * i - 1]), now + ARGV[3 * i], tonumber(ARGV[3 * i + 1])
  local w, p = numbers[2 * i - 1] or 0, numbers[2 * i] or 0
  if w > last[i] + 1000000 then
    w, p, changed = last[i], lastPart[i], true
  elseif w >= now then
    p = math.min(p, unit[i] - 1)
  else
    w, p = now, 0
  end
  whole[i], part[i] = w, p
  debts[2 * i - 1], debts[2 * i] = w - now, p
end

local passed, nextWhole, nextPart = false, {}, {}
for at = 3 * limits + 2, #ARGV, 2 * limits do
  local passes = true
  for i = 1, limits do
    local w = whole[i] + ARGV[at + 2 * i - 2]
    local p = part[i] + ARGV[at + 2 * i - 1]
    if p >= unit[i] then
      w, p = w + 1, p - unit[i]
    end
    if w > last[i] or (w == last[i] and p > lastPart[i]) then
      passes = false
      break
    end
    nextWhole[i], nextPart[i] = w, p
  end
  if passes then
    for i = 1, limits do
      whole[i], part[i] = nextWhole[i], nextPart[i]
    end
    passed = true
  elseif not passed and stop == '!' then
    break
  end
end

if passed or changed then
  local latest, state = now, {}
  for i = 1, limits do
    latest = math.max(latest, whole[i])
    state[i] = string.format('%.0f %.0f', whole[i], part[i])
  end
  call('SET', key, table.concat(state, ' '), 'PX', math.floor((latest - now) / 1000) + 2)
end
return debts
