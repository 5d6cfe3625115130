-- Asks one body after another, in an order that a linear congruential generator draws. The file that is named behind "--"
-- holds the Authorization header (or "-") and then a body a line. With a text behind it, each answer is looked at: one
-- that tells of errors, or lacks the text, is wrong.

local threads, bodies, state, marker = {}, {}, 1, nil
wrong, looked = 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1]))
  local authorization = file:read("*l")
  wrk.headers["Content-Type"] = "application/json"
  if authorization ~= "-" then wrk.headers["Authorization"] = authorization end
  for line in file:lines() do bodies[#bodies + 1] = wrk.format("POST", nil, nil, line) end
  file:close()
  marker = args[2]
  if marker == nil then response = nil end  -- to look at answers costs wrk more than to ask
end

function request()
  state = state * 16807 % 2147483647
  return bodies[1 + state % #bodies]
end

function response(status, headers, body)
  looked = looked + 1
  if status ~= 200 or not body:find(marker, 1, true) or body:find('"errors"', 1, true) then wrong = wrong + 1 end
end

function done(summary, latency)
  local wrongs, lookeds = 0, 0
  for _, thread in ipairs(threads) do
    wrongs, lookeds = wrongs + thread:get("wrong"), lookeds + thread:get("looked")
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "bytes": %d, "refused": %d, "broken": %d, "looked": %d, "wrong": %d, ' ..
    '"p50": %.6f, "p99": %.6f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, lookeds, wrongs,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
