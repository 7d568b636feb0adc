-- Requests for documents whose paths stand in a file, in turn; prints the figures as one line of JSON.
--   wrk ... -s load.lua URL -- PATHS [once] [gzip]

local ffi = require("ffi")
ffi.cdef [[ struct moment { long seconds, microseconds; }; int gettimeofday(struct moment *, void *); ]]

local requests, at, answered, once = {}, 0, 0, false

local function microseconds()
  local moment = ffi.new("struct moment")
  ffi.C.gettimeofday(moment, nil)
  return tonumber(moment.seconds) * 1000000 + tonumber(moment.microseconds)
end

function setup(thread)
  threads = threads or {}
  table.insert(threads, thread)
end

function init(args)
  for index = 2, #args do
    if args[index] == "once" then once = true end
    if args[index] == "gzip" then wrk.headers["Accept-Encoding"] = "gzip" end
  end
  for line in io.lines(args[1]) do table.insert(requests, wrk.format("GET", line)) end
  began, finished = microseconds(), 0
  if not once then response = nil end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response()
  answered = answered + 1
  if answered == #requests then
    finished = microseconds()
    wrk.thread:stop()
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  local thread = threads[1]
  local took = thread:get("finished") > 0 and thread:get("finished") - thread:get("began") or summary.duration
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "bytes": %d, "errors": %d, "p50_us": %d, "p99_us": %d, "max_us": %d}\n',
    summary.requests, took, summary.bytes, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
