-- A stand-in for Fusion, as strict as can be: a name, attribute, control or argument that the documentation does not
-- have raises an error. Pictures are real: they are read from and written to disk by the Python side.
--
-- Given: a table of Python functions (see host.py). Gives: a table of functions for the tests.

local python = ...
local ffi = require("ffi")
local host = { log = {}, opened = {}, executed = {}, saver_files = {}, seconds = 0, resolve = false }

local function bad(...)
  error("stand-in: " .. string.format(...), 0)
end

local function set_of(words)
  local set = {}
  for word in words:gmatch("%S+") do
    set[word] = true
  end
  return set
end

-- An object whose members are exactly the given ones; `writable` names those that may be set from outside.
local function strict(kind, members, writable)
  return setmetatable({}, {
    __index = function(_, name)
      local value = members[name]
      if value == nil then
        bad("%s has no member %s", kind, tostring(name))
      end
      if value == host.none then
        return nil
      end
      return value
    end,
    __newindex = function(_, name)
      if not (writable and writable[name]) then
        bad("member %s of %s can't be set", tostring(name), kind)
      end
    end,
  })
end

host.none = {} -- a member that is there and nil

local function check_attributes(what, given, known)
  for name in pairs(given) do
    if type(name) == "string" and not known[name] then
      bad("%s has no attribute %s", what, name)
    end
  end
end

-- Pictures: RGBA floats, rows from the bottom, as Fusion counts them.

local PIXEL = { R = true, G = true, B = true, A = true }

local function new_pixel(values)
  local pixel = { R = 0, G = 0, B = 0, A = 0 }
  for name, value in pairs(values or {}) do
    if not PIXEL[name] then
      bad("a pixel has no member %s", tostring(name))
    end
    pixel[name] = value
  end
  local refuse = function(_, name)
    bad("a pixel has no member %s", tostring(name))
  end
  return setmetatable(pixel, { __index = refuse, __newindex = refuse })
end

local buffers = setmetatable({}, { __mode = "k" })
local image_of

-- A function as it reaches Fusion's worker threads: without what is around it, and with the given globals only.
local function isolated(action, globals)
  local alone = loadstring(string.dump(action))
  return setfenv(alone, setmetatable({}, {
    __index = function(_, name)
      if globals[name] == nil then
        bad("the pixel function uses %s, which it can't see", tostring(name))
      end
      return globals[name]
    end,
    __newindex = function(_, name)
      bad("the pixel function sets the global %s", tostring(name))
    end,
  }))
end

local function get_pixel(buffer, width, x, y, pixel)
  local at = (y * width + x) * 4
  pixel.R, pixel.G, pixel.B, pixel.A = buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]
end

local function set_pixel(buffer, width, x, y, pixel)
  local at = (y * width + x) * 4
  buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3] = pixel.R, pixel.G, pixel.B, pixel.A
end

function image_of(buffer, width, height, depth)
  local image
  local function check(x, y)
    if x < 0 or y < 0 or x >= width or y >= height or x % 1 ~= 0 or y % 1 ~= 0 then
      bad("pixel %s, %s is outside the image of %d x %d", x, y, width, height)
    end
  end
  image = strict("Image", {
    Width = width,
    Height = height,
    Depth = depth,
    CopyOf = function()
      local copy = ffi.new("float[?]", width * height * 4)
      ffi.copy(copy, buffer, width * height * 16)
      return image_of(copy, width, height, depth)
    end,
    GetPixel = function(_, x, y, pixel)
      check(x, y)
      get_pixel(buffer, width, x, y, pixel)
    end,
    SetPixel = function(_, x, y, pixel)
      check(x, y)
      set_pixel(buffer, width, x, y, pixel)
    end,
    MultiProcessPixels = function(_, init, globals, left, bottom, w, h, a, b, action)
      if init ~= nil or left ~= 0 or bottom ~= 0 or w ~= width or h ~= height then
        bad("MultiProcessPixels: whole images only")
      end
      if b.Width ~= width or b.Height ~= height then
        bad("MultiProcessPixels: images of different sizes")
      end
      action = isolated(action, globals)
      local p, q = new_pixel(), new_pixel()
      for y = 0, h - 1 do
        for x = 0, w - 1 do
          get_pixel(buffers[a], width, x, y, p)
          get_pixel(buffers[b], width, x, y, q)
          set_pixel(buffer, width, x, y, action(x, y, p, q))
        end
      end
    end,
  })
  buffers[image] = buffer
  return image
end

local function read_image(file, depth, channels)
  local width, height, bytes = python.read(file, channels)
  if not width then
    return nil
  end
  local buffer = ffi.new("float[?]", width * height * 4)
  ffi.copy(buffer, bytes, #bytes)
  return image_of(buffer, width, height, depth)
end

local function bytes_of(image)
  return ffi.string(buffers[image], image.Width * image.Height * 16)
end

-- Tools.

local CONTROLS = set_of("ComboControl SliderControl ScrewControl CheckboxControl TextEditControl FileControl ButtonControl")
local ATTRIBUTES = set_of([[
  LINKS_Name LINKID_DataType LINK_Main INPID_InputControl INP_Default INPS_DefaultText INPS_StatusText INP_Integer INP_External
  INP_Passive INP_MinScale INP_MaxScale INP_MinAllowed INP_MaxAllowed INP_Required INP_SendRequest INP_AcceptsMasks
  TEC_Lines TEC_Wrap TEC_ReadOnly FC_PathBrowse ICS_ControlPage IC_Visible BTNCS_Execute CCS_AddString
]])
local INPUTS = {
  PipeRouter = { Input = "Image" },
  Paint = { Input = "Image" },
  Merge = { Background = "Image", Foreground = "Image" },
  TextPlus = { StyledText = "", UseFrameFormatSettings = 0, Size = 0.08, Red1 = 1, Green1 = 1, Blue1 = 1 },
  MediaIn = { GlobalIn = 0, GlobalOut = 0, ClipTimeStart = 0, ClipTimeEnd = 0 },
  BrightnessContrast = { Input = "Image", Gain = 1, Brightness = 0 },
  Saver = {
    Input = "Image",
    Clip = "",
    CreateDir = 0,
    OutputFormat = "",
    ["OpenEXRFormat.Depth"] = 0,
    ["OpenEXRFormat.Compression"] = 3,
  },
  Loader = {
    Clip = "",
    GlobalIn = 0,
    GlobalOut = 0,
    ClipTimeStart = 0,
    ClipTimeEnd = 0,
    HoldFirstFrame = 0,
    HoldLastFrame = 0,
    Loop = 0,
    MissingFrames = 0,
    ["Clip1.OpenEXRFormat.RedName"] = "R",
    ["Clip1.OpenEXRFormat.GreenName"] = "G",
    ["Clip1.OpenEXRFormat.BlueName"] = "B",
    ["Clip1.OpenEXRFormat.AlphaName"] = "A",
  },
}
-- What FindMainInput(1) gives; tools without it have no picture going in.
local MAIN_INPUTS = {
  PipeRouter = "Input",
  Paint = "Input",
  BrightnessContrast = "Input",
  Saver = "Input",
  Merge = "Background",
}
local DATA_TYPES = set_of("Image Number Text")

local tools, order = {}, {}
local inside = setmetatable({}, { __mode = "k" }) -- of a tool's handle

local function add_control(inputs, id, given)
  check_attributes("control " .. id, given, ATTRIBUTES)
  if not DATA_TYPES[given.LINKID_DataType] then
    bad("control %s has the data type %s", id, tostring(given.LINKID_DataType))
  end
  local choices = 0
  for _, choice in ipairs(given) do
    check_attributes("a choice of " .. id, choice, ATTRIBUTES)
    choices = choices + 1
  end
  if given.LINKID_DataType ~= "Image" and not CONTROLS[given.INPID_InputControl] then
    bad("control %s has the control type %s", id, tostring(given.INPID_InputControl))
  end
  local input = { id = id, kind = given.LINKID_DataType, attributes = given, choices = choices }
  if input.kind == "Number" then
    input.value = given.INP_Default or 0
  elseif input.kind == "Text" then
    input.value = given.INPS_DefaultText or ""
  end
  inputs[id] = input
end

local function built_in(class)
  local inputs = {}
  for id, default in pairs(INPUTS[class] or bad("there is no tool %s", class)) do
    local kind = type(default) == "number" and "Number" or default == "Image" and "Image" or "Text"
    inputs[id] = { id = id, kind = kind, attributes = {}, choices = 0, value = kind ~= "Image" and default or nil }
  end
  return inputs
end

local function input_of(tool, id)
  return tool.inputs[id] or bad("%s %s has no input %s", tool.class, tool.name, tostring(id))
end

local function set_input(tool, id, value)
  local input = input_of(tool, id)
  local wanted = ({ Number = "number", Text = "string" })[input.kind]
  if type(value) ~= wanted then
    bad("input %s of %s takes a %s, got %s", id, tool.name, tostring(wanted), type(value))
  end
  local attributes = input.attributes
  local low = input.choices > 0 and 0 or attributes.INP_MinAllowed or -math.huge
  local high = input.choices > 0 and input.choices - 1 or attributes.INP_MaxAllowed or math.huge
  if wanted == "number" and (value < low or value > high) then
    bad("input %s of %s takes %s to %s, got %s", id, tool.name, low, high, value)
  end
  input.value = value
  if tool.on_input then
    tool:on_input(id, value)
  end
end

-- A Loader forgets all about time when its file changes; see docs of the Loader, and pipelines that restore it.
local function loader_input(tool, id, value)
  local inputs = tool.inputs
  if id == "Clip" then
    tool.first, tool.length = python.sequence(value)
    inputs.GlobalIn.value, inputs.GlobalOut.value = 0, tool.length - 1
    inputs.ClipTimeStart.value, inputs.ClipTimeEnd.value = 0, tool.length - 1
    inputs.HoldFirstFrame.value, inputs.HoldLastFrame.value, inputs.Loop.value = 0, 0, 1
    for color in ("RGBA"):gmatch(".") do
      local names = { R = "Red", G = "Green", B = "Blue", A = "Alpha" }
      inputs["Clip1.OpenEXRFormat." .. names[color] .. "Name"].value = color
    end
  elseif id == "GlobalIn" or id == "GlobalOut" then
    if inputs.GlobalIn.value > inputs.GlobalOut.value then
      bad("GlobalIn %s of %s is past GlobalOut %s", inputs.GlobalIn.value, tool.name, inputs.GlobalOut.value)
    end
    inputs.ClipTimeStart.value, inputs.HoldFirstFrame.value = 1, 7 -- "compensated"
  elseif id == "ClipTimeEnd" and value > tool.length - 1 then
    bad("ClipTimeEnd %s of %s is past the clip's %d frames", value, tool.name, tool.length)
  end
end

local image_at

local function loader_image(tool, time)
  local value = function(id)
    return tool.inputs[id].value
  end
  if value("Clip") == "" or tool.passes then
    bad("Loader %s is asked for frame %s without a clip", tool.name, time)
  end
  if time < value("GlobalIn") or time > value("GlobalOut") or value("HoldFirstFrame") ~= 0 or value("Loop") ~= 0 then
    return nil
  end
  local frame = tool.first + value("ClipTimeStart") + time - value("GlobalIn")
  local file = python.numbered(value("Clip"), frame)
  if not python.exists(file) then
    bad("Loader %s is asked for frame %s, whose file is missing", tool.name, time)
  end
  table.insert(host.log, string.format("loaded %s at %d", file:match("[^/]*$"), time))
  local names = {}
  for index, color in ipairs({ "Red", "Green", "Blue", "Alpha" }) do
    names[index] = host.faults.no_layers and ("RGBA"):sub(index, index)
      or value("Clip1.OpenEXRFormat." .. color .. "Name")
  end
  return read_image(file, 8, table.concat(names, " "))
end

local function source_image(tool, id, time)
  local input = input_of(tool, id)
  return input.source and image_at(input.source, time) or nil
end

-- Foreground over Background, additive, as a new Merge is.
local function merged(tool, time)
  local below, above = source_image(tool, "Background", time), source_image(tool, "Foreground", time)
  local out, p, q = below:CopyOf(), new_pixel(), new_pixel()
  for y = 0, out.Height - 1 do
    for x = 0, out.Width - 1 do
      below:GetPixel(x, y, p)
      above:GetPixel(x, y, q)
      local rest = 1 - q.A
      out:SetPixel(x, y, { R = q.R + p.R * rest, G = q.G + p.G * rest, B = q.B + p.B * rest, A = q.A + p.A * rest })
    end
  end
  return out
end

function image_at(tool, time)
  if tool.class == "MediaIn" and (time < tool.inputs.GlobalIn.value or time > tool.inputs.GlobalOut.value) then
    return nil
  elseif tool.class == "Merge" then
    return merged(tool, time)
  elseif tool.picture then
    return tool.picture(time)
  elseif tool.class == "Loader" then
    return loader_image(tool, time)
  elseif tool.process then
    return tool.process(time)
  end
  return source_image(tool, "Input", time)
end

-- One of a tool's inputs as scripts see it.
local function connection_of(tool, id)
  return strict("Input " .. id, {
    GetConnectedOutput = function()
      local source = input_of(tool, id).source
      return source and strict("Output of " .. source.name, {
        GetTool = function()
          return source.handle
        end,
      })
    end,
  })
end

local TOOL_ATTRIBUTES = set_of("TOOLB_PassThrough TOOLS_Name")

local function handle_of(tool)
  local handle
  local members = {
    Name = tool.name,
    ID = tool.class,
    ParentTool = tool.group and tool.group.handle or host.none,
    GetInput = function(_, id, time)
      if time ~= nil then
        bad("no input here is animated")
      end
      if host.faults.older and not tool.inputs[id] then
        return nil -- what a control gives that a comp's macro, of an older version, does not have
      end
      return input_of(tool, id).value
    end,
    SetInput = function(_, id, value)
      set_input(tool, id, value)
    end,
    GetAttrs = function(_, name)
      local clip = { TOOLIT_Clip_StartFrame = { tool.first }, TOOLIT_Clip_Length = { tool.length } }
      local attributes = { TOOLB_PassThrough = tool.passes, TOOLS_Name = tool.name }
      if tool.class == "Loader" then
        for key, value in pairs(clip) do
          attributes[key] = value
        end
      end
      if name ~= nil and attributes[name] == nil then
        bad("%s has no attribute %s", tool.name, tostring(name))
      end
      return name == nil and attributes or attributes[name]
    end,
    SetAttrs = function(_, given)
      check_attributes(tool.name, given, TOOL_ATTRIBUTES)
      tool.passes = given.TOOLB_PassThrough
    end,
    SetData = function(_, name, value)
      tool.data[name] = value
    end,
    GetData = function(_, name)
      return tool.data[name]
    end,
    FindMainInput = function(_, index)
      if index ~= 1 then
        bad("FindMainInput(1) only")
      end
      local id = tool.published and bad("the macro is not asked so") or MAIN_INPUTS[tool.class]
      return id and connection_of(tool, id)
    end,
    ConnectInput = function(_, id, other)
      if input_of(tool, id).kind ~= "Image" then
        bad("%s of %s takes no picture", id, tool.name)
      end
      tool.inputs[id].source = inside[other] or bad("%s of %s is connected to nothing", id, tool.name)
    end,
    FindMainOutput = function(_, index)
      if index ~= 1 then
        bad("%s has one output", tool.name)
      end
      return strict("Output", {
        GetValue = function(_, time)
          return image_at(tool, time)
        end,
      })
    end,
    GetChildrenList = function(_, selected)
      if selected ~= false or not tool.children then
        bad("GetChildrenList(false) of a group only")
      end
      local list = {}
      for index, child in ipairs(tool.children) do
        list[index] = child.handle
      end
      return list
    end,
  }
  for index = 1, 3 do
    local id = "MainInput" .. index
    local found = tool.published and tool.published[id]
    members[id] = found and connection_of(found.tool, found.input.id) or host.none
  end
  handle = strict("Tool " .. tool.name, members)
  inside[handle] = tool
  return handle
end

local function add_tool(name, class, inputs, group)
  local tool = { name = name, class = class, inputs = inputs, group = group, passes = false, data = {} }
  if class == "Loader" then
    tool.on_input, tool.first, tool.length = loader_input, 0, 0
  end
  tool.handle = handle_of(tool)
  tools[name], order[#order + 1] = tool, tool
  return tool
end

-- Fuses: each tool has an environment of its own, in which the Fuse's text runs once.

local REGISTRATION = set_of([[
  REGS_Name REGS_Category REGS_OpIconString REGS_OpDescription REGS_Company REG_OpNoMask REG_NoMotionBlurCtrls
  REG_NoBlendCtrls REG_NoObjMatCtrls REG_TimeVariant
]])
local IMAGE_ATTRIBUTES = set_of("IMG_Like")
local fuses = {}

local function fuse_environment(tool)
  local frozen, inputs = false, tool.inputs
  local function add_input(_, label, id, given)
    if type(label) ~= "string" or not id:match("^%w+$") or inputs[id] then
      bad("AddInput(%s, %s)", tostring(label), tostring(id))
    end
    add_control(inputs, id, given)
    local asked_for = given.INP_SendRequest ~= false
    return strict("Input " .. id, {
      GetValue = function(_, req)
        if not asked_for then
          bad("input %s is not sent a request; use GetSource", id)
        end
        if inputs[id].kind == "Image" then
          return source_image(tool, id, req.Time)
        end
        return strict("Parameter", { Value = inputs[id].value })
      end,
      GetSource = function(_, time)
        return source_image(tool, id, time)
      end,
    })
  end
  local known = {
    self = strict("self", {
      AddInput = add_input,
      AddOutput = function(_, _, _, given)
        check_attributes("output", given, ATTRIBUTES)
        return strict("Output", {
          Set = function(_, req, image)
            tool.output[req] = buffers[image] and image or bad("Output:Set without an image")
          end,
        })
      end,
    }),
    FuRegisterClass = function(name, class, given)
      if not name:match("^%w+$") or class ~= "CT_Tool" then
        bad("FuRegisterClass(%s, %s)", tostring(name), tostring(class))
      end
      check_attributes("FuRegisterClass", given, REGISTRATION)
      tool.registered = name
    end,
    CT_Tool = "CT_Tool",
    Image = function(given)
      check_attributes("Image", given, IMAGE_ATTRIBUTES)
      return given.IMG_Like:CopyOf()
    end,
    Pixel = new_pixel,
    bmd = host.bmd,
    math = math,
    string = string,
  }
  local own = {}
  local environment = setmetatable({}, {
    __index = function(_, name)
      local value = own[name]
      if value == nil then
        value = known[name]
      end
      return value == nil and bad("the Fuse uses the unknown global %s", tostring(name)) or value
    end,
    __newindex = function(_, name, value)
      if frozen then
        bad("the Fuse sets the global %s while it processes", tostring(name))
      end
      own[name] = value
    end,
  })
  return environment, function()
    frozen = true
  end
end

local function start_fuse(tool, text)
  local environment, freeze = fuse_environment(tool)
  setfenv(assert(loadstring(text, "=fuse")), environment)()
  return environment, freeze
end

-- Take a Fuse's text into the registry, as Fusion does when it starts; returns the name it registers.
function host.register(text)
  local probe = { inputs = {} }
  start_fuse(probe, text)
  fuses[probe.registered] = text
  return probe.registered
end

local function create_fuse(tool, name)
  tool.output = setmetatable({}, { __mode = "k" })
  local environment, freeze = start_fuse(tool, fuses[name] or bad("there is no Fuse %s", name))
  environment.Create()
  freeze()
  function tool.process(time)
    local req = strict("Request", { Time = time })
    environment.Process(req)
    return tool.output[req] or bad("Process of %s set no output", tool.name)
  end
end

-- Macros.

local function setting_environment()
  local function constructor(class)
    return function(given)
      return { class = class, given = given }
    end
  end
  local names = {}
  for name in pairs(set_of("MacroOperator InstanceInput InstanceOutput Input FuID GroupInfo OperatorInfo PipeRouterInfo")) do
    names[name] = constructor(name)
  end
  for name in pairs(INPUTS) do
    names[name] = constructor(name)
  end
  names.ordered = function()
    return function(given)
      return given
    end
  end
  names.Fuse = setmetatable({}, {
    __index = function(_, name)
      return constructor("Fuse." .. (fuses[name] and name or bad("there is no Fuse %s", name)))
    end,
  })
  return setmetatable({}, {
    __index = function(_, name)
      return names[name] or bad("the setting uses the unknown word %s", tostring(name))
    end,
  })
end

local TOOL_FIELDS = set_of("NameSet CtrlWZoom PassThrough Inputs ViewInfo UserControls")
local MACRO_FIELDS = set_of("NameSet CtrlWZoom Inputs Outputs ViewInfo Tools")

local function add_macro_tool(name, made, group)
  check_attributes(name, made.given, TOOL_FIELDS)
  local fuse = made.class:match("^Fuse%.(.*)$")
  local tool = add_tool(name, made.class, fuse and {} or built_in(made.class), group)
  if fuse then
    create_fuse(tool, fuse)
  end
  for id, given in pairs(made.given.UserControls or {}) do
    add_control(tool.inputs, id, given)
  end
  tool.passes = made.given.PassThrough or false
  return tool
end

local function connect(tool, id, value)
  local given = value.given
  if given.SourceOp then
    if given.Source ~= "Output" or not tools[given.SourceOp] then
      bad("input %s of %s comes from %s.%s", id, tool.name, given.SourceOp, tostring(given.Source))
    end
    input_of(tool, id).source = tools[given.SourceOp]
  else
    local plain = given.Value
    set_input(tool, id, type(plain) == "table" and plain.given[1] or plain)
  end
end

-- Add the macro of a setting's text to the comp, once more with every name ending in `ending`.
function host.paste(text, ending)
  local chunk = setfenv(assert(loadstring("return " .. text, "=setting")), setting_environment())
  local setting = chunk()
  local name, made = next(setting.Tools)
  check_attributes(name, made.given, MACRO_FIELDS)
  local renamed = {}
  for old in pairs(made.given.Tools) do
    renamed[old] = old .. ending
  end
  local group = add_tool(name .. ending, made.class, {})
  group.children, group.published = {}, {}
  local before = group.handle
  for old, inner in pairs(made.given.Tools) do
    table.insert(group.children, add_macro_tool(renamed[old], inner, group))
  end
  for old, inner in pairs(made.given.Tools) do
    for id, value in pairs(inner.given.Inputs or {}) do
      if value.given.SourceOp then
        value.given.SourceOp = renamed[value.given.SourceOp]
      end
      connect(tools[renamed[old]], id, value)
    end
  end
  for id, value in pairs(made.given.Inputs) do
    local tool = tools[renamed[value.given.SourceOp] or bad("%s is from nowhere", id)]
    group.published[id] = { tool = tool, input = input_of(tool, value.given.Source) }
  end
  for id, value in pairs(made.given.Outputs) do
    group.published[id] = { tool = tools[renamed[value.given.SourceOp]] }
  end
  inside[before], group.handle = nil, handle_of(group) -- now that it is known what is published
  for _, child in ipairs(group.children) do
    inside[child.handle] = nil
    child.handle = handle_of(child)
  end
  return group.name
end

-- The comp.

local locks, undos = 0, 0
local rendering -- nil, or { tool, frame, last }
local saved = {}

local function write_frame(tool, time)
  local image = source_image(tool, "Input", time)
  if not image then
    return false
  end
  local file = python.numbered(tool.inputs.Clip.value, time)
  local depth = tool.inputs["OpenEXRFormat.Depth"].value
  table.insert(host.saver_files, file)
  return python.write(file, image.Width, image.Height, bytes_of(image), depth == 1)
end

local function step_render()
  local faults = host.faults
  if rendering and faults.hang ~= rendering.frame and (faults.late or 0) == 0 then
    for _, tool in ipairs(order) do
      if tool.class == "Saver" and not tool.passes and not (faults.skip and faults.skip[rendering.frame]) then
        write_frame(tool, rendering.frame)
      end
    end
    rendering.frame = rendering.frame + 1
    if rendering.frame > rendering.last then
      rendering = nil
    end
  end
end

local RENDER_SETTINGS = set_of([[
  Start End HiQ RenderAll MotionBlur SizeType Width Height KeepAspect StepRender Steps UseNetwork Groups RenderFlags
  Tool FrameRange Wait
]])

local function comp_attributes()
  return {
    COMPS_FileName = host.comp_file,
    COMPN_RenderStart = host.first,
    COMPN_RenderEnd = host.last,
    COMPN_GlobalStart = host.first,
    COMPN_GlobalEnd = host.last,
  }
end

host.faults = {}
host.comp = strict("Composition", {
  CurrentTime = host.none,
  ActiveTool = host.none,
  Lock = function()
    locks = locks + 1
  end,
  Unlock = function()
    locks = locks > 0 and locks - 1 or bad("Unlock without Lock")
  end,
  StartUndo = function(_, name)
    undos = type(name) == "string" and undos + 1 or bad("StartUndo without a name")
  end,
  EndUndo = function(_, keep)
    undos = type(keep) == "boolean" and undos > 0 and undos - 1 or bad("EndUndo")
  end,
  GetAttrs = function(_, name)
    local value = comp_attributes()[name]
    return value == nil and bad("the comp has no attribute %s", tostring(name)) or value
  end,
  GetData = function(_, name)
    return saved[name]
  end,
  SetData = function(_, name, value)
    saved[name] = value
  end,
  MapPath = function(_, path)
    local folder = path:match("^Comp:") and (host.comp_file:match("^.*/") or "/")
    return folder and folder .. path:sub(6) or path
  end,
  MapPathSegments = function(_, path)
    return path == "Scripts:" and { "/nowhere/Scripts/", host.scripts } or bad("path map %s", path)
  end,
  FindTool = function(_, name)
    return tools[name] and tools[name].handle
  end,
  AddTool = function(_, class, x, y)
    if type(x) ~= "number" or type(y) ~= "number" then
      bad("AddTool(%s) without a place", tostring(class))
    end
    local number = 1
    while tools[class .. number] do
      number = number + 1
    end
    return add_tool(class .. number, class, built_in(class)).handle
  end,
  SetActiveTool = function(_, tool)
    host.active = inside[tool].name
  end,
  GetToolList = function(_, selected, class)
    local list = {}
    for _, tool in ipairs(order) do
      if class == nil or tool.class == class then
        list[#list + 1] = tool.handle
      end
    end
    return selected == false and list or bad("GetToolList(false) only")
  end,
  Render = function(_, given)
    check_attributes("Render", given, RENDER_SETTINGS)
    local tool = inside[given.Tool] or bad("Render without a tool")
    if tool.class ~= "Saver" or tool.passes or rendering or locks == 0 then
      bad("Render of %s can't be", tool.name)
    end
    if given.Wait or given.Start % 1 ~= 0 or given.End % 1 ~= 0 then
      bad("Render waits, which may last for ever")
    end
    if host.faults.refuse == tool.name then
      return nil
    end
    rendering = { frame = given.Start, last = given.End }
    return true
  end,
  IsRendering = function()
    if (host.faults.late or 0) > 0 then
      host.faults.late = host.faults.late - 1
      return false
    end
    return rendering ~= nil
  end,
  AbortRender = function()
    rendering = nil
    table.insert(host.log, "aborted")
  end,
})
-- These two change while the comp lives.
local comp_members = getmetatable(host.comp)
local refuse = comp_members.__newindex
comp_members.__newindex = function(comp, name, value)
  if name ~= "CurrentTime" then
    refuse(comp, name, value)
  elseif type(value) ~= "number" then
    bad("CurrentTime is a number, got %s", tostring(value))
  end
  host.now = value
end
local plain_index = comp_members.__index
comp_members.__index = function(comp, name)
  if name == "CurrentTime" then
    return host.now
  elseif name == "ActiveTool" then
    return tools[host.active] and tools[host.active].handle
  end
  return plain_index(comp, name)
end

host.bmd = strict("bmd", {
  wait = function(seconds)
    host.seconds = host.seconds + (host.faults.slow_clock or 0)
    step_render()
    python.wait(seconds)
  end,
  fileexists = python.exists,
  direxists = python.is_folder,
  createdir = python.make_folder,
  createuuid = function()
    return "8a6f0e3c-0000-4000-8000-0123456789ab"
  end,
  executebg = function(command)
    table.insert(host.executed, command)
    python.execute_windows(command)
  end,
  openfileexternal = function(verb, path)
    table.insert(host.opened, verb .. " " .. path)
  end,
})

local bmd_members = getmetatable(host.bmd)
local plain_bmd = bmd_members.__index
local GONE = set_of("createdir executebg openfileexternal")
bmd_members.__index = function(bmd, name)
  if host.sandboxed and GONE[name] then
    return nil
  end
  return plain_bmd(bmd, name)
end

host.app = setmetatable({}, {
  __index = function(_, name)
    if name ~= "GetResolve" or not host.resolve then
      bad("app has no member %s", name)
    end
    return function()
      local project = strict("Project", {
        GetSetting = function(_, setting)
          return setting == "colorScienceMode" and host.resolve or bad("project setting %s", setting)
        end,
      })
      local manager = strict("ProjectManager", {
        GetCurrentProject = function()
          return project
        end,
      })
      return strict("Resolve", {
        GetProjectManager = function()
          return manager
        end,
      })
    end
  end,
})

-- A tool that gives the numbered files of a sequence, as an artist's own Loader would.
function host.add_source(name, pattern, depth)
  local tool = add_tool(name, "PipeRouter", built_in("PipeRouter"))
  function tool.picture(time)
    return read_image(python.numbered(pattern, time), depth)
  end
end

-- A clip of Resolve's timeline: frames `first` to `last` of the comp.
function host.add_media(name, pattern, first, last)
  local tool = add_tool(name, "MediaIn", built_in("MediaIn"))
  tool.inputs.GlobalIn.value, tool.inputs.GlobalOut.value = first, last
  function tool.picture(time)
    return read_image(python.numbered(pattern, time), 8)
  end
end

-- What an artist does to a tool by hand: trim a MediaIn, paint in a Paint tool (which gives the file's picture then).
function host.trim(name, first, last)
  tools[name].inputs.GlobalIn.value, tools[name].inputs.GlobalOut.value = first, last
end

function host.paint(name, file)
  local tool = tools[name]
  function tool.picture()
    return read_image(file, 8)
  end
end

-- The tools of the comp, or those in a macro, each a line: name, class, and what feeds its inputs, blanks between.
-- What is in a macro counts as the macro for those outside.
function host.graph(macro)
  local lines = {}
  for _, tool in ipairs(order) do
    local group = tool.group and tool.group.name
    if group == macro then
      local words, sources = { tool.name, tool.class:match("[^.]*$") }, {}
      if tool.published then
        for index = 1, 3 do
          local found = tool.published["MainInput" .. index]
          sources[#sources + 1] = found and found.input.source
        end
      else
        for _, id in ipairs({ "Background", "Foreground", "Input", "Plate", "Matte", "Result", "Sources" }) do
          sources[#sources + 1] = tool.inputs[id] and tool.inputs[id].source
        end
      end
      for _, source in ipairs(sources) do
        words[#words + 1] = macro == nil and source.group and source.group.name or source.name
      end
      lines[#lines + 1] = table.concat(words, " ")
    end
  end
  return lines
end

function host.connect_tool(name, id, source)
  input_of(tools[name], id).source = tools[source]
end

function host.label(macro, id)
  return tools[macro].published[id].input.attributes.LINKS_Name
end

function host.source(name, id)
  local source = input_of(tools[name], id).source
  return source and source.name
end

function host.add_saver(name, source, clip)
  local tool = add_tool(name, "Saver", built_in("Saver"))
  tool.inputs.Input.source = tools[source]
  tool.inputs.Clip.value = clip
end

-- Connect a tool's output to an input that a macro publishes.
function host.connect(macro, input, source)
  local found = tools[macro].published[input] or bad("%s publishes no %s", macro, input)
  found.input.source = source and tools[source] or nil
end

function host.set(macro, id, value)
  local found = tools[macro].published[id] or bad("%s publishes no %s", macro, id)
  set_input(found.tool, found.input.id, value)
end

function host.get(tool, id)
  return input_of(tools[tool], id).value
end

function host.passes(tool)
  return tools[tool].passes
end

function host.delete(name)
  for index, tool in ipairs(order) do
    if tool == tools[name] then
      table.remove(order, index)
      tools[name] = nil
      return
    end
  end
end

-- Take the macro's tools out of their group.
function host.ungroup(macro)
  for _, child in ipairs(tools[macro].children) do
    child.group = nil
    inside[child.handle] = nil
    child.handle = handle_of(child)
  end
  host.delete(macro)
end

local PLAIN = set_of([[
  assert error getmetatable ipairs loadfile loadstring next pairs pcall print rawget select setmetatable tonumber
  tostring type unpack
]])

-- Run a text as a button does: what the host gives by name is there, and nothing else.
function host.run_text(text, tool)
  local names = { comp = host.comp, bmd = host.bmd, app = host.app, string = string, table = table, math = math }
  names.tool = tool and tools[tool].handle
  local environment = setmetatable({}, {
    __index = function(_, name)
      if PLAIN[name] then
        return _G[name]
      end
      return names[name] or bad("the script uses the unknown global %s", tostring(name))
    end,
    __newindex = function(_, name)
      bad("the script sets the global %s", tostring(name))
    end,
  })
  return setfenv(assert(loadstring(text, "=script")), environment)()
end

-- Run the command line for TDs; returns its exit code.
function host.run_cli(place, ...)
  local fusion = strict("Fusion", {
    GetCurrentComp = function()
      return host.comp
    end,
    LoadComp = function(_, file)
      return file == "shot.comp" and host.comp or nil
    end,
    GetResolve = host.none,
  })
  return assert(loadfile(place .. "cli.lua"))()(place, { fusion = fusion, bmd = host.bmd }, { ... })
end

function host.button_code(macro, button)
  local found = tools[macro].published[button] or bad("%s publishes no %s", macro, button)
  return found.input.attributes.BTNCS_Execute or bad("%s is no button", button)
end

-- Press a button of a macro.
function host.press(macro, button)
  local code = host.button_code(macro, button)
  return host.run_text(code, host.give_group and macro or tools[macro].published[button].tool.name)
end

-- The picture that a tool or macro shows at a time: width, height, bytes.
function host.look(name, time)
  local tool = tools[name]
  local image = image_at(tool.published and tool.published.MainOutput1.tool or tool, time)
  return image.Width, image.Height, bytes_of(image)
end

function host.is_at_rest()
  return locks == 0 and undos == 0 and rendering == nil
end

-- What Lua itself offers, narrowed: no new globals, the host's clock, and on Windows no file names beyond ANSI.

local real = { time = os.time, open = io.open, remove = os.remove, rename = os.rename, execute = os.execute, getenv = os.getenv }

local function plain_path(path)
  if jit.os == "Windows" and path:find("[\128-\255]") then
    bad("Lua on Windows can't open %s", path)
  end
  return path
end

os.time = function()
  return real.time() + host.seconds
end
io.open = function(path, mode)
  return real.open(plain_path(path), mode)
end
os.remove = function(path)
  return real.remove(plain_path(path))
end
os.rename = function(from, to)
  return real.rename(plain_path(from), plain_path(to))
end
os.execute = function(command)
  table.insert(host.executed, command)
  return real.execute(command)
end
os.getenv = function(name)
  return host.environment[name] or nil
end
host.environment = {}

-- What users report of Resolve's free edition from 21.1 on: these are gone from Lua.
function host.sandbox()
  for _, name in ipairs({ "io", "require", "package" }) do
    rawset(_G, name, false)
  end
  os.execute, os.remove, os.rename = nil, nil, nil
  host.sandboxed = true
end

function host.set_windows()
  jit.os = "Windows"
end

print = function(...)
  table.insert(host.log, table.concat({ ... }, "\t"))
end

_G.python = nil
setmetatable(_G, {
  __index = function(_, name)
    bad("the scripts use the unknown global %s", tostring(name))
  end,
  __newindex = function(_, name)
    bad("the scripts set the global %s", tostring(name))
  end,
})

return host
