-- The tools of one inpaint macro, and the values of its controls.

local use = ...
local catalog, fail = use("catalog"), use("fail")

local nodes = {}

-- What the parts are called in the macro. Fusion adds _1, _2 where a comp holds the macro more than once.
local PARTS = {
  controls = "CleanplateControls",
  plate_in = "CleanplatePlateIn",
  plate = "CleanplatePlate",
  matte = "CleanplateMatte",
  loader = "CleanplateLoader",
  result = "CleanplateResult",
}

-- Those that macros of older versions lack.
local LATER = {
  matte_in = "CleanplateMatteIn",
  shadow_in = "CleanplateShadowIn",
  shadow = "CleanplateShadow",
  sources = "CleanplateSources",
  told = "CleanplateTold",
}

local function each_part()
  local all = {}
  for _, names in ipairs({ PARTS, LATER }) do
    for part, name in pairs(names) do
      all[part] = name
    end
  end
  return pairs(all)
end

local function base_name(name)
  return (name:gsub("_%d+$", ""))
end

local function in_group(group)
  local found = {}
  for _, child in pairs(group:GetChildrenList(false)) do
    for part, name in each_part() do
      if base_name(child.Name) == name then
        found[part] = child
      end
    end
  end
  return found
end

-- After an ungroup the parts stand in the comp itself; those of one macro share the ending of their names.
local function by_ending(comp, name)
  local found, ending = {}, name:match("_%d+$") or ""
  for part, base in each_part() do
    found[part] = comp:FindTool(base .. ending)
  end
  return found
end

local function is_group(tool)
  return tool.ID == "MacroOperator" or tool.ID == "GroupOperator"
end

-- The parts of the macro that `tool` is, or is a part of. A button gives one or the other.
function nodes.of(comp, tool)
  local group = is_group(tool) and tool or tool.ParentTool
  local found = group and in_group(group) or by_ending(comp, tool.Name)
  for part, name in pairs(PARTS) do
    if not found[part] then
      fail("The tool " .. name .. " is missing in " .. tool.Name .. "; add VINet Inpaint again from the tool menu.")
    end
  end
  found.name = group and group.Name or tool.Name
  found.group = group
  return found
end

-- The tool that is connected to one of the macro's inputs, or nil: `part` is the router behind the input `id`.
-- The router is asked first; where a host has the connection end at the macro, the macro is.
function nodes.source(parts, part, id)
  local inner = parts[part] and parts[part]:FindMainInput(1)
  local output = inner and inner:GetConnectedOutput()
  if not output and inner and parts.group and parts.group[id] then
    output = parts.group[id]:GetConnectedOutput()
  end
  return output and output:GetTool()
end

function nodes.plate(parts)
  return nodes.source(parts, "plate_in", "MainInput1")
end

function nodes.has_matte(parts)
  return nodes.source(parts, "matte_in", "MainInput2") ~= nil
end

function nodes.has_shadow(parts)
  return parts.shadow ~= nil and nodes.source(parts, "shadow_in", "MainInput3") ~= nil
end

-- The controls of every inpaint macro in the comp, by name.
function nodes.all(comp)
  local found = {}
  for _, tool in pairs(comp:GetToolList(false)) do
    if base_name(tool.Name) == PARTS.controls then
      found[#found + 1] = tool
    end
  end
  table.sort(found, function(a, b)
    return a.Name < b.Name
  end)
  return found
end

local function whole(value)
  return math.floor(value + 0.5)
end

local CHANNELS = { [0] = "auto", "A", "luminance", "R", "G", "B" }
local DEVICES = { [0] = "auto", "cpu", "cuda" }
local GRAINS = { [0] = "off", "auto" }
local PAINTS = { [0] = "auto", "network", "off" }
local TASKS = { [0] = "render", "restore", "detect", "retarget" }
local BACKGROUNDS = { [0] = "squeeze", "crop" }
local QUALITIES = { [0] = "standard", "draft", "high" } -- as in the control, whose numbers saved comps hold
local COLORS = { [0] = "auto", "linear", "display", "name" }

-- How many frames each way are searched for real pixels; nil where the quality decides.
local function search_frames(quality, wanted, frames)
  if catalog.presets(quality).propagate then
    return nil
  end
  return wanted and frames or 0
end

-- What the artist has set, in the words of the core; `settings` by its names.
function nodes.values(parts)
  local function number(id)
    return whole(parts.controls:GetInput(id) or 0) -- 0: a comp of an older version has no such control
  end
  local function text(id)
    return (parts.controls:GetInput(id) or ""):match("^%s*(.-)%s*$")
  end
  local quality, task = QUALITIES[number("Quality")], TASKS[number("Task")]
  local repairs = task == "restore" or task == "detect"
  local settings = {
    matte_invert = number("InvertMatte") == 1,
    matte_channel = CHANNELS[whole(parts.result:GetInput("MatteChannel"))],
  }
  if not repairs then
    settings.grow, settings.feather = number("Grow"), number("Feather")
    settings.grain, settings.paint = GRAINS[number("Grain")], PAINTS[number("Paint")]
    settings.quality = quality
    settings.propagate = search_frames(quality, number("RealPixels") == 1, number("SearchFrames"))
  end
  return {
    task = task,
    repairs = repairs,
    sensitivity = repairs and parts.controls:GetInput("Sensitivity") or nil,
    aspect = task == "retarget" and text("Aspect") or nil,
    background = task == "retarget" and BACKGROUNDS[number("Background")] or nil,
    custom_range = number("Range") == 1,
    first = number("First"),
    last = number("Last"),
    settings = settings,
    reference = not repairs and text("Reference") or "",
    patch = task == "render" and number("Patch") == 1,
    -- What the Savers write: a repair finds the damage itself where no matte is connected.
    has_matte = not repairs or task == "restore" and nodes.has_matte(parts),
    has_shadow = not repairs and nodes.has_shadow(parts),
    color = COLORS[number("Color")],
    color_name = text("ColorName"),
    model = text("Model"),
    device = DEVICES[number("Device")],
    folder = text("Folder"),
    command = text("Cleanplate"),
    patience_minutes = number("Patience"),
  }
end

-- The frames to render: first and last, both included.
function nodes.range(comp, values)
  local first, last = values.first, values.last
  if not values.custom_range then
    first = whole(comp:GetAttrs("COMPN_RenderStart"))
    last = whole(comp:GetAttrs("COMPN_RenderEnd"))
  end
  if last < first then
    fail("The range runs backwards (" .. first .. " to " .. last .. "); set First and Last.")
  elseif first < 0 then
    fail("The range starts at " .. first .. ", and Fusion can't number files below 0; move it to 0 or later.")
  end
  return first, last
end

return nodes
