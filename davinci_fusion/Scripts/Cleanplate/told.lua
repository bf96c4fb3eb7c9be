-- The status, on the tool and in large letters at its second output, in the color of how it goes.

local told = {}

local COLUMNS = 44
local COLORS = { busy = { 1, 0.75, 0.2 }, done = { 0.4, 0.9, 0.5 }, failed = { 1, 0.35, 0.3 } }

-- Break a text into lines that fit.
function told.lines(text)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + #word >= COLUMNS then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Show a sentence; `how` is busy, done or failed.
function told.show(parts, message, how)
  parts.controls:SetInput("Status", message)
  if parts.told then
    parts.told:SetInput("StyledText", told.lines(message))
    for index, color in ipairs({ "Red1", "Green1", "Blue1" }) do
      parts.told:SetInput(color, COLORS[how][index])
    end
  end
end

return told
