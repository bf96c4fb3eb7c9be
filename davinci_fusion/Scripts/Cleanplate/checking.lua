-- What the core warns of before a render and finds wrong after it, as a sentence, and the frame to look at.

local use = ...
local fail, process = use("fail"), use("process")

local checking = {}

local TOLD = "Cleanplate.Frame" -- kept on the controls

-- Before the first render.
local function warned(report)
  local first = report.warnings[1]
  if not first then
    return "Looked at: nothing speaks against a render."
  end
  local more = #report.warnings > 1 and string.format(" (%d more in look.json.)", #report.warnings - 1) or ""
  return "Before you render: " .. first.message .. more, tonumber(first.message:match("frames? (%d+)"))
end

-- Faults before what is only worth a look.
local function found(report)
  for _, kind in ipairs({ { "FAULT", "Fault" }, { "look", "Worth a look" } }) do
    for _, check in ipairs(report.checks) do
      if check.verdict == kind[1] then
        return kind[2] .. ": " .. check.name .. ": " .. check.found:gsub("%.$", "") .. ".", check.frames[1]
      end
    end
  end
  return "Checked: no faults."
end

-- Look at the shot, or at its clean plate where there is one.
function checking.run(host, parts, command, places, is_rendered)
  local _, report = process.look(host, command, places, is_rendered and process.CHECK or process.PROBE)
  local sentence, frame
  if is_rendered then
    sentence, frame = found(report)
  else
    sentence, frame = warned(report)
  end
  parts.controls:SetData(TOLD, frame)
  return sentence .. (frame and " Go to frame shows it." or "")
end

-- Go to the frame that was named last.
function checking.go(host, parts)
  local frame = parts.controls:GetData(TOLD) or fail("The status names no frame. Press Check first.")
  host.comp.CurrentTime = frame
  return "Frame " .. frame .. "."
end

return checking
