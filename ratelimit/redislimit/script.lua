-- Charges a key: one token bucket, or several at once.
--
-- A bucket is kept as the instant at which it is full again, in microseconds of
-- this server's clock: whole ones, and a part in units of 1/unit. The caller has
-- divided already, so all that happens here are sums of integers below 2^53, which
-- are exact in floating point.
--
-- KEYS[1]  the key, a string "whole part" for each limit, separated by spaces; or
--          "whole", for one limit of which a token takes whole microseconds
-- ARGV[1]  number of limits
-- ARGV[2]  1: if the first charge does not pass, the others are not tried
-- then, for each limit: unit, whole and part of the time in which it fills
-- then, for each charge and limit: whole and part of the time that it costs
--
-- Returns how far ahead of now each instant was before the charges, as whole, part,
-- whole, part; or the whole, where the key is that. What the charges come to then is
-- a matter of the same sums, which the caller does again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local saved = redis.call('GET', KEYS[1])
local stop = ARGV[2] == '1'

-- 1000000: a debt above what fills the bucket has another cause than charges. The clock
-- went back, or the limit was another. It is cut to that, with a second's grace, and
-- written down at once, or it would be cut anew until the clock is where it was.
--
-- + 2: what is forgotten early would be forgiven. A millisecond for the part and the
-- rounding, and one because the server counts from the start of its millisecond.

if ARGV[1] == '1' then -- most limiters; no tables, for they cost more than the sums
  local unit, last, lastPart = tonumber(ARGV[3]), now + ARGV[4], tonumber(ARGV[5])
  local whole, part, cut = now, 0, false
  if saved then
    local w, p = tonumber(saved), 0
    if not w then
      w, p = string.match(saved, '^(%d+) (%d+)')
      w, p = tonumber(w or 0) or 0, tonumber(p or 0) or 0
    end
    if w > last + 1000000 then
      whole, part, cut = last, lastPart, true
    elseif w >= now then
      whole, part = w, math.min(p, unit - 1)
    end
  end
  local debt, debtPart, changed = whole - now, part, false
  for at = 6, #ARGV, 2 do
    local w, p = whole + ARGV[at], part + ARGV[at + 1]
    if p >= unit then
      w, p = w + 1, p - unit
    end
    if w < last or (w == last and p <= lastPart) then
      whole, part, changed = w, p, true
    elseif stop and not changed then
      break
    end
  end
  if unit == 1 then
    if changed or cut then
      redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.floor((whole - now) / 1000) + 2)
    end
    return debt
  end
  if changed or cut then
    redis.call('SET', KEYS[1], string.format('%.0f %.0f', whole, part), 'PX', math.floor((whole - now) / 1000) + 2)
  end
  return {debt, debtPart}
end

local limits = tonumber(ARGV[1])
local numbers = {}
for digits in string.gmatch(saved or '', '%d+') do
  numbers[#numbers + 1] = tonumber(digits) or 0
end
local unit, last, lastPart = {}, {}, {}
local whole, part, debts, cut = {}, {}, {}, false
for i = 1, limits do
  unit[i], last[i], lastPart[i] = tonumber(ARGV[3 * i]), now + ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2])
  local w, p = numbers[2 * i - 1] or 0, numbers[2 * i] or 0
  if w > last[i] + 1000000 then
    w, p, cut = last[i], lastPart[i], true
  elseif w >= now then
    p = math.min(p, unit[i] - 1)
  else
    w, p = now, 0
  end
  whole[i], part[i] = w, p
  debts[2 * i - 1], debts[2 * i] = w - now, p
end

local nextWhole, nextPart, changed = {}, {}, false
for at = 3 * limits + 3, #ARGV, 2 * limits do
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
    changed = true
  elseif stop and not changed then
    break
  end
end

if changed or cut then
  local latest, state = now, {}
  for i = 1, limits do
    latest = math.max(latest, whole[i])
    state[i] = string.format('%.0f %.0f', whole[i], part[i])
  end
  redis.call('SET', KEYS[1], table.concat(state, ' '), 'PX', math.floor((latest - now) / 1000) + 2)
end
return debts
