-- What the buttons of the VINet Inpaint macro do. Load it with its own folder, and call what comes back:
--
--   local place = comp:MapPath("Scripts:") .. "Cleanplate/"
--   local cleanplate = assert(loadfile(place .. "cleanplate.lua"))(place)
--   local done, message = cleanplate({ comp = comp, tool = tool, bmd = bmd, app = app }, "render")
--
-- `tool` is the macro or any tool in it. The actions are render, update, cancel, reveal, review, check, go, paint and
-- patch.
-- Fusion renders frames in any order and several at once, so nothing recurrent happens in its Process:
-- the host writes plate and matte, the core renders the shot in order, the macro shows its files.

local folder = ...
local loaded = {}

local function use(name)
  if loaded[name] == nil then
    loaded[name] = assert(loadfile(folder .. name .. ".lua"))(use, folder)
  end
  return loaded[name]
end

local fail, paths, nodes = use("fail"), use("paths"), use("nodes")
local export, job, process, result = use("export"), use("job"), use("process"), use("result")
local beside, checking, media, status = use("beside"), use("checking"), use("media"), use("told")

local OTHER_STATE = 4 -- the core's exit code for a render that does not fit what is on disk
local PREVIEW_SECONDS = 3 -- between two looks at the files of a render that goes on

local function told(event)
  if event.event == "start" then
    return string.format("Cleanplate renders frames %d-%d", event.first, event.last)
  elseif event.event == "phase" then
    local count = event.total > 0 and string.format(" %d/%d", event.done, event.total) or ""
    return event.what .. count
  elseif event.event == "frame" then
    return string.format("Frame %d, %d of %d, %d s left", event.frame, event.done, event.total, event.eta)
  elseif event.event == "note" then
    return event.message
  end
end

-- Where to begin to write plates: at the playhead when all before it are there from last time.
local function begin_at(host, parts, places, values, first, last)
  local now = math.max(first, math.min(last, math.floor(host.comp.CurrentTime)))
  if not media.is_as_written(parts) then
    host.say("The clip was trimmed, slipped or retimed since: all frames are written.")
    return first
  end
  for _, what in ipairs(export.kinds(values)) do
    if not export.is_there(host, places[what], first, now - 1) then
      host.say("The frames before " .. now .. " were not written yet: all are written.")
      return first
    end
  end
  return now
end

-- Have the core render the job that `text_of(again)` makes: on from what is there, or all anew where that is of
-- other settings. `preview` is called now and then, when frames have come. Returns what the core warned of, for the
-- end of a sentence.
local function run_core(host, command, places, text_of, preview)
  local shown, warnings = 0, ""
  local function handle(event)
    local line = told(event)
    if line then
      host.say(line)
    end
    if event.event == "note" and event.code then
      warnings = warnings .. " Warning: " .. event.message
    end
    if event.event == "frame" and os.time() - shown >= PREVIEW_SECONDS then
      shown = os.time()
      preview()
    end
  end
  job.write(places, text_of(false))
  local code, message = process.run(host, command, places, handle)
  if code == OTHER_STATE and not host.canceled() then
    host.say(message .. " All frames are rendered again.")
    job.write(places, text_of(true))
    code, message = process.run(host, command, places, handle)
  end
  if code == 130 or code == 143 then
    fail(message .. " Press Render to go on.")
  elseif code ~= 0 then
    fail(string.format("%s (exit code %d; log: %scleanplate.log)", message, code, places.run))
  end
  return warnings
end

-- What every action reads of the tool: values, places, first and last frame.
local function asked(host, parts)
  local values = nodes.values(parts)
  local first, last = nodes.range(host.comp, values)
  return values, paths.of_tool(host, values.folder, parts.name), first, last
end

-- Write what the core is given; returns why the color space is what it is, and a function that makes the job's text,
-- of a render that goes on or (true) begins again.
local function prepare(host, parts, values, places, first, last, begin)
  local missing = media.missing(parts, first, last)
  if missing then
    host.say(missing)
  end
  local space, why = use("color").choose(host, parts, values, first)
  host.say("Color: " .. why)
  export.run(host, parts, places, values, begin, last)
  media.note(parts)
  beside.write_painted(host, parts, values)
  return why, function(again)
    return job.text(host.comp, places, values, space, first, last, again)
  end
end

-- A cancel file that was there before does not count.
local function let_cancel(host, places)
  os.remove(job.cancel(places))
  function host.canceled()
    return host.bmd.fileexists(job.cancel(places))
  end
end

local function refuse_while_running(places)
  if process.is_running(places) then
    fail("This tool is being rendered already; press Cancel first, or wait for its end.")
  end
end

local function render(host, parts, from_now)
  local values, places, first, last = asked(host, parts)
  local command = use("command").find(host, values.command)
  paths.make(host, places.run)
  paths.make(host, places.clean:match("^.*/"))
  refuse_while_running(places)
  let_cancel(host, places)
  local begin = from_now and begin_at(host, parts, places, values, first, last) or first
  local why, text_of = prepare(host, parts, values, places, first, last, begin)
  local done, outcome = pcall(run_core, host, command, places, text_of, function()
    result.show(host, parts, places, first, last, values.patch, true)
  end)
  result.show(host, parts, places, first, last, values.patch) -- also after a stop: what is done is seen
  if not done then
    error(outcome, 0)
  end
  return string.format("Done: frames %d-%d. Color: %s", first, last, why) .. outcome
end

local actions = {}

function actions.render(host, parts)
  return render(host, parts, false)
end

function actions.update(host, parts)
  return render(host, parts, true)
end

function actions.cancel(host, parts)
  local values = nodes.values(parts)
  local places = paths.of_tool(host, values.folder, parts.name)
  paths.make(host, places.run)
  paths.write(job.cancel(places), "")
  local began = os.time()
  while process.is_running(places) do
    host.bmd.wait(0.2)
    if os.time() - began > 15 then
      process.forget(places)
      return "Asked Cleanplate to stop. It has not answered yet; if its machine crashed, just press Render again."
    end
  end
  return "Stopped. Press Render to go on."
end

function actions.reveal(host, parts)
  local values = nodes.values(parts)
  local places = paths.of_tool(host, values.folder, parts.name)
  if not host.bmd.direxists(places.root) then
    fail("Nothing was rendered to " .. places.root .. " yet.")
  end
  host.bmd.openfileexternal("Open", places.root)
  return "Files: " .. places.root
end

function actions.review(host, parts)
  local values = nodes.values(parts)
  local places = paths.of_tool(host, values.folder, parts.name)
  if not host.bmd.fileexists(places.run .. "job.json") then
    fail("Nothing was rendered to " .. places.root .. " yet.")
  end
  process.review(host, use("command").find(host, values.command), places)
  return "The review page opens in the browser when it is made; if not, see " .. places.run .. "review.log."
end

-- Before the first render the shot is looked at, which its plate and matte are written for.
function actions.check(host, parts)
  local values, places, first, last = asked(host, parts)
  local command = use("command").find(host, values.command)
  paths.make(host, places.run)
  refuse_while_running(places)
  let_cancel(host, places)
  local is_rendered = host.bmd.fileexists(paths.frame(places.clean, first))
  if not is_rendered then
    if values.task ~= "render" then
      fail("There is no clean plate yet; press Render first.")
    end
    local _, text_of = prepare(host, parts, values, places, first, last, first)
    job.write(places, text_of(false))
  end
  host.say("Looking...")
  return checking.run(host, parts, command, places, is_rendered)
end

function actions.go(host, parts)
  return checking.go(host, parts)
end

function actions.paint(host, parts)
  local values, places = asked(host, parts)
  refuse_while_running(places)
  let_cancel(host, places)
  return beside.paint(host, parts, places, values)
end

function actions.patch(host, parts)
  local _, places, first, last = asked(host, parts)
  return beside.patch(host, parts, places, first, last)
end

local function sentence(problem)
  if type(problem) == "table" then
    return problem.cleanplate
  end
  return "Cleanplate's scripts failed: " .. tostring(problem)
end

-- Do one action for one macro; returns true or false, and a sentence that is also shown on the tool.
local function run(host, action)
  local parts
  function host.say(message, how)
    print("Cleanplate: " .. message)
    if parts then
      status.show(parts, message, how or "busy")
    end
  end
  local done, outcome = pcall(function()
    parts = nodes.of(host.comp, host.tool)
    local by_hand = use("by_hand")
    local known = by_hand.is_needed() and by_hand or actions
    local act = known[action] or fail("There is no action " .. tostring(action) .. ".")
    return act(host, parts)
  end)
  local message = done and outcome or sentence(outcome)
  host.say(message, done and "done" or "failed")
  return done, message
end

return run, use
