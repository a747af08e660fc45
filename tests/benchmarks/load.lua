-- What wrk sends, and its findings as one line of JSON. Arguments: the file of the body, what a buyer key begins with, and
-- after how many keys they begin anew (0: never).
local body_file, prefix, keys
local count, head, tail = 0, nil, nil

function init(args)
  body_file, prefix, keys = args[1], args[2], tonumber(args[3])
  local file = assert(io.open(body_file))
  local body = file:read("*a")
  file:close()
  head = "POST /checkout HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " .. #body
    .. "\r\nBuyer-Key: " .. prefix
  tail = "\r\n\r\n" .. body
end

function request()
  count = count + 1
  return head .. (keys > 0 and count % keys or count) .. tail
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"refused":%d,"broken":%d,"timeouts":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout
  ))
end
