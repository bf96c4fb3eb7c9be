-- For a Lua that may neither write files nor start programs (Resolve's free edition from 21.1 on, as users report):
-- Fusion still writes plate and matte and shows the result; the command in between is the artist's to run.

local use = ...
local beside, catalog, checking, color = use("beside"), use("catalog"), use("checking"), use("color")
local export, fail, nodes = use("export"), use("fail"), use("nodes")
local paths, process, result = use("paths"), use("process"), use("result")

local by_hand = {}

-- Whether the scripts can do it all themselves.
function by_hand.is_needed()
  return not (io and io.open and os and os.execute and os.remove and os.rename)
end

local function command_line(host, values, places, space, first, last)
  local finds = values.task == "detect"
  local words = { "cleanplate " .. values.task .. (finds and " all" or "") }
  local function add(option, value)
    words[#words + 1] = option .. (value ~= nil and " " .. process.quoted(paths.system(), tostring(value)) or "")
  end
  add("--plate", places.plate)
  if values.has_matte then
    add("--matte", places.matte)
  end
  if values.has_shadow then
    add("--shadow-matte", places.shadow)
  end
  add(finds and "--matte" or "--output", places.clean)
  add("--frames", first .. "-" .. last)
  add("--colorspace", space)
  local asked = {}
  if not values.repairs then
    asked.device, asked.model = values.device, values.model ~= "" and values.model or nil
  end
  asked.reference = values.reference ~= "" and host.comp:MapPath(values.reference) or nil
  if values.patch then
    asked.patch, asked.layers = places.patch, "source"
  end
  asked.sensitivity, asked.aspect, asked.keep = values.sensitivity, values.aspect, values.background
  for name, value in pairs(values.has_matte and values.settings or {}) do
    asked[name] = value
  end
  for _, option in ipairs(catalog.options(asked)) do
    add(option[1], option[2])
  end
  words[#words + 1] = "--resume"
  return table.concat(words, " ")
end

-- Files can't be deleted here, so each export has a folder of its own: what is in it is new.
local function new_take(host, places)
  local take = places.root .. "take-" .. host.bmd.createuuid():sub(1, 8) .. "/"
  for _, what in ipairs({ "plate", "matte", "shadow" }) do
    places[what] = take .. what .. ".####.exr"
  end
end

-- Nobody can make a cancel file here.
function by_hand.canceled()
  return false
end

-- Write plate and matte; returns the command that makes the clean plate of them.
function by_hand.render(host, parts)
  local values = nodes.values(parts)
  local first, last = nodes.range(host.comp, values)
  local places = paths.of_tool(host, values.folder, parts.name)
  new_take(host, places)
  host.canceled = by_hand.canceled
  local space, why = color.choose(host, parts, values, first)
  host.say("Color: " .. why)
  export.run(host, parts, places, values, first, last)
  beside.write_painted(host, parts, values)
  local line = command_line(host, values, places, space, first, last)
  return "This Resolve lets no script start Cleanplate. Run in a terminal, then press Update:  " .. line
end

-- Show what the command has made so far.
function by_hand.update(host, parts)
  local values = nodes.values(parts)
  local first, last = nodes.range(host.comp, values)
  local places = paths.of_tool(host, values.folder, parts.name)
  local missing = {}
  for frame = first, last do
    if not host.bmd.fileexists(paths.frame(places.clean, frame)) then
      missing[#missing + 1] = frame
    end
  end
  if #missing > last - first then
    fail("There is no clean plate in " .. places.root .. " yet; press Render to see the command that makes it.")
  end
  result.show(host, parts, places, first, last, values.patch)
  local gaps = #missing > 0 and "; not there yet: " .. paths.compact(missing) or ""
  return string.format("Shown: frames %d-%d%s", first, last, gaps)
end

function by_hand.cancel()
  fail("Press Ctrl-C in the terminal where cleanplate runs.")
end

function by_hand.check(host, parts)
  local values = nodes.values(parts)
  local places = paths.of_tool(host, values.folder, parts.name)
  return "Run in a terminal: cleanplate qc --result " .. process.quoted(paths.system(), places.clean)
end

function by_hand.go(host, parts)
  return checking.go(host, parts)
end

function by_hand.paint(host, parts)
  local values = nodes.values(parts)
  host.canceled = by_hand.canceled
  return beside.paint(host, parts, paths.of_tool(host, values.folder, parts.name), values)
end

function by_hand.patch(host, parts)
  local values = nodes.values(parts)
  local first, last = nodes.range(host.comp, values)
  return beside.patch(host, parts, paths.of_tool(host, values.folder, parts.name), first, last)
end

function by_hand.reveal(host, parts)
  local values = nodes.values(parts)
  return "Files: " .. paths.of_tool(host, values.folder, parts.name).root
end

function by_hand.review(host, parts)
  local values = nodes.values(parts)
  local places = paths.of_tool(host, values.folder, parts.name)
  local clean = process.quoted(paths.system(), places.clean)
  return "Run in a terminal: cleanplate review --open --result " .. clean
end

return by_hand
