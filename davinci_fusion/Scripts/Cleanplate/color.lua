-- What the plate's values mean, when Color is Auto. Savers write OpenEXR whatever the comp holds, so the core could
-- no longer tell display-referred pictures from scene-linear ones: it is decided here, and the reason is shown.

local color = {}

-- Resolve's color science, or nil outside Resolve.
local function resolve_science(host)
  local found, science = pcall(function()
    local project = host.app:GetResolve():GetProjectManager():GetCurrentProject()
    return project:GetSetting("colorScienceMode")
  end)
  return found and type(science) == "string" and science ~= "" and science or nil
end

-- Whether the plate's pixels are floating point at a frame, or nil when the host does not say.
local function is_float(parts, frame)
  local found, depth = pcall(function()
    return parts.plate_in:FindMainOutput(1):GetValue(frame).Depth
  end)
  if not found or type(depth) ~= "number" then
    return nil
  end
  -- Depths 1, 2, 5 and 6 are integers; 3, 4, 7 and 8 are floating point.
  return depth % 4 == 3 or depth % 4 == 0
end

local function automatic(host, parts, frame)
  local science = resolve_science(host)
  if science == "davinciYRGB" then
    return "display", "Resolve does not manage color (DaVinci YRGB)"
  elseif science then
    return "linear", "Resolve manages color (" .. science .. "), so the Fusion page is scene-linear"
  end
  local float = is_float(parts, frame)
  if float == false then
    return "display", "the plate's pixels are integers"
  elseif float then
    return "linear", "the plate's pixels are floating point"
  end
  return "linear", "the plate's depth is not known"
end

-- The color space for the job, and a line that says what was chosen and why.
function color.choose(host, parts, values, frame)
  if values.color == "name" then
    return values.color_name, values.color_name .. " (as set)"
  elseif values.color ~= "auto" then
    return values.color, values.color .. " (as set)"
  end
  local space, reason = automatic(host, parts, frame)
  return space, space .. " (auto: " .. reason .. ")"
end

return color
