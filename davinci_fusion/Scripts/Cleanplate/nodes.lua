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

local function base_name(name)
  return (name:gsub("_%d+$", ""))
end

local function in_group(group)
  local found = {}
  for _, child in pairs(group:GetChildrenList(false)) do
    for part, name in pairs(PARTS) do
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
  for part, base in pairs(PARTS) do
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
  return found
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
  local quality = QUALITIES[number("Quality")]
  return {
    custom_range = number("Range") == 1,
    first = number("First"),
    last = number("Last"),
    settings = {
      grow = number("Grow"),
      feather = number("Feather"),
      matte_invert = number("InvertMatte") == 1,
      matte_channel = CHANNELS[whole(parts.result:GetInput("MatteChannel"))],
      grain = GRAINS[number("Grain")],
      paint = PAINTS[number("Paint")],
      quality = quality,
      propagate = search_frames(quality, number("RealPixels") == 1, number("SearchFrames")),
    },
    reference = text("Reference"),
    patch = number("Patch") == 1,
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
