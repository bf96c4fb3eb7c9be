-- Run Cleanplate as a process of its own. Lua gets no handle of it, so a small script starts it, catches what it
-- prints in a log and writes its exit code to a file at the end; progress is read from the progress file.

local use = ...
local fail, job, json, paths = use("fail"), use("job"), use("json"), use("paths")

local process = {}

local START_SECONDS = 20
local CANCEL_SECONDS = 60

local function sh_quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function cmd_quoted(text)
  return '"' .. text:gsub("/", "\\") .. '"'
end

-- Inside a batch file a percent sign has to be written twice.
local function batch_quoted(text)
  return (cmd_quoted(text):gsub("%%", "%%%%"))
end

-- A text as one word of a command line in a terminal.
function process.quoted(system, text)
  if not text:find("[^%w%-_./:]") then
    return text
  end
  return system == "windows" and cmd_quoted(text) or sh_quoted(text)
end

-- A Python is called with the module's name; anything else is the command itself.
local function core_words(command)
  local name = command:lower():match("([^/\\]*)$")
  return name:match("^python") and " -m plugin_core.cli " or " "
end

-- What is run, where it writes what it says (`errors`: those apart), what its script is called, and where its exit
-- code is noted, if anybody waits for it.
local RENDER = { words = "render --job job.json", log = "cleanplate.log", name = "run", noted = "exit" }
local REVIEW = { words = "review --job job.json --open --quiet", log = "review.log", name = "review" }
process.PROBE = { words = "probe --job job.json --json", name = "look" }
process.CHECK = { words = "qc --job job.json --json --quiet", name = "look" }
for _, look in ipairs({ process.PROBE, process.CHECK }) do
  look.log, look.errors, look.noted = "look.json", "look.log", "look.exit"
end

local function redirected(what)
  return " >" .. what.log .. (what.errors and " 2>" .. what.errors or " 2>&1")
end

local function unix_script(command, places, what)
  local lines = {
    "#!/bin/sh",
    "unset PYTHONHOME PYTHONPATH", -- the host sets them for its own Python
    "export PYTHONNOUSERSITE=1",
    "cd " .. sh_quoted(places.run) .. " || exit",
    sh_quoted(command) .. core_words(command) .. what.words .. redirected(what) .. " </dev/null",
  }
  if what.noted then
    lines[#lines + 1] = string.format("echo $? >%s.part; mv %s.part %s", what.noted, what.noted, what.noted)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function windows_script(command, places, what)
  local call = command:lower():match("%.exe$") and "" or "call " -- else a studio's batch file would never return
  local lines = {
    "@echo off",
    "chcp 65001 >nul", -- this file is UTF-8
    "set PYTHONHOME=",
    "set PYTHONPATH=",
    "set PYTHONNOUSERSITE=1",
    "set PYTHONUTF8=1",
    "cd /d " .. batch_quoted(places.run),
    call .. batch_quoted(command) .. core_words(command) .. what.words .. redirected(what) .. " <nul",
  }
  if what.noted then
    lines[#lines + 1] = "echo %ERRORLEVEL% >" .. what.noted .. ".part"
    lines[#lines + 1] = "move /y " .. what.noted .. ".part " .. what.noted .. " >nul"
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

-- The script that starts Cleanplate, as text, and its file name.
function process.script(system, command, places, what)
  what = what or RENDER
  if system == "windows" then
    return windows_script(command, places, what), what.name .. ".cmd"
  end
  return unix_script(command, places, what), what.name .. ".sh"
end

local function launch(host, system, script)
  if system ~= "windows" then
    os.execute("/bin/sh " .. sh_quoted(script) .. " >/dev/null 2>&1 </dev/null &")
  elseif host.bmd.executebg then
    host.bmd.executebg('cmd.exe /d /c "' .. cmd_quoted(script) .. '"') -- no console window flashes up
  else
    os.execute('start "" /min cmd /d /c "' .. cmd_quoted(script) .. '"')
  end
end

-- Have the page of the job in places.run made and opened in the browser; nobody waits for it.
function process.review(host, command, places)
  local system = paths.system()
  local text, name = process.script(system, command, places, REVIEW)
  paths.write(places.run .. name, text)
  launch(host, system, places.run .. name)
end

local function exit_code(places, noted)
  return tonumber(paths.read(places.run .. (noted or "exit")) or "")
end

-- Whether a run of this tool was begun and has not ended, as far as its files tell.
function process.is_running(places)
  return paths.read(places.run .. "started") ~= nil and exit_code(places) == nil
end

-- Forget a run, so that the next one may begin.
function process.forget(places)
  os.remove(places.run .. "started")
end

local function last_line(text)
  local found
  for line in (text or ""):gmatch("[^\r\n]+") do
    found = line
  end
  return found
end

-- Read the progress file on; returns where to read on from. A line that is still being written waits.
local function read_events(places, offset, handle)
  local text = paths.read(job.progress(places), offset) or ""
  for line in text:gmatch("([^\n]*)\n") do
    handle(json.decode(line))
  end
  return offset + #(text:match("^.*\n") or "")
end

local function wait_for_end(host, places, handle)
  local began, canceled, offset = os.time(), nil, 0
  while exit_code(places) == nil do
    host.bmd.wait(0.2)
    offset = read_events(places, offset, handle)
    if offset == 0 and not paths.read(places.run .. "cleanplate.log") and os.time() - began > START_SECONDS then
      fail("The system did not start " .. places.run .. "; docs/fusion.md says what to look at.")
    end
    if host.canceled() then
      canceled = canceled or os.time()
      if os.time() - canceled > CANCEL_SECONDS then
        fail("Cleanplate does not answer; it may still run. Its log is " .. places.run .. "cleanplate.log.")
      end
    end
  end
  read_events(places, offset, handle)
end

-- Have the job in places.run looked at (PROBE or CHECK); returns the exit code and the report.
function process.look(host, command, places, what)
  local system, began = paths.system(), os.time()
  local text, name = process.script(system, command, places, what)
  paths.write(places.run .. name, text)
  for _, old in ipairs({ what.log, what.errors, what.noted }) do
    os.remove(places.run .. old)
  end
  launch(host, system, places.run .. name)
  while exit_code(places, what.noted) == nil do
    host.bmd.wait(0.2)
    if not paths.read(places.run .. what.log) and os.time() - began > START_SECONDS then
      fail("The system did not start " .. places.run .. name .. "; docs/fusion.md says what to look at.")
    elseif host.canceled() then
      fail("Canceled.")
    end
  end
  local done, report = pcall(json.decode, paths.read(places.run .. what.log) or "")
  if not done then
    fail(last_line(paths.read(places.run .. what.errors)) or "Cleanplate said nothing.")
  end
  return exit_code(places, what.noted), report
end

-- Render the job in places.run and come back when it has ended; `handle` gets every progress event.
-- Returns the exit code and, unless that is 0, the core's own sentence.
function process.run(host, command, places, handle)
  local system = paths.system()
  local text, name = process.script(system, command, places)
  paths.write(places.run .. name, text)
  for _, old in ipairs({ "exit", "progress.jsonl", "cleanplate.log" }) do
    os.remove(places.run .. old)
  end
  paths.write(places.run .. "started", "")
  launch(host, system, places.run .. name)
  local message
  wait_for_end(host, places, function(event)
    message = event.event == "error" and event.message or message
    handle(event)
  end)
  message = message or last_line(paths.read(places.run .. "cleanplate.log")) or "Cleanplate said nothing."
  return exit_code(places), message
end

return process
