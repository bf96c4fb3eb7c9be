-- Render inpaint tools of a comp without a hand on the mouse. Fusion Studio has to run.
--
--   fuscript -l lua cli.lua ACTION [--comp FILE] [--tool NAME] [--set CONTROL=VALUE ...]

local HELP = [[
usage: fuscript -l lua cli.lua ACTION [options]

actions:
  render    write plate and matte, render the clean plate, show it
  update    the same, but write plate and matte from the current frame on only
  check     before a render look at the shot, after it at the clean plate; the last line says what was found
  cancel    stop a render that runs
  list      print the inpaint tools of the comp

options:
  --comp FILE          open this comp (default: the current one)
  --tool NAME          only this tool (default: every VINet Inpaint of the comp, by name)
  --set CONTROL=VALUE  set a control first, for example --set Range=1 --set First=1001 --set Last=1100;
                       controls: Task Range First Last Grow Feather InvertMatte Quality RealPixels SearchFrames
                       Grain Paint Reference Patch Sensitivity Aspect Background Color ColorName Model Device
                       Folder Cleanplate Patience
  --help               print this

exit codes: 0 done, 1 something failed (the last line says what), 2 wrong usage]]

local TEXTS = { Reference = true, Aspect = true, ColorName = true, Model = true, Folder = true, Cleanplate = true }
local NUMBERS = {
  Range = true,
  First = true,
  Last = true,
  Grow = true,
  Feather = true,
  InvertMatte = true,
  Quality = true,
  RealPixels = true,
  SearchFrames = true,
  Grain = true,
  Paint = true,
  Patch = true,
  Task = true,
  Sensitivity = true,
  Background = true,
  Color = true,
  Device = true,
  Patience = true,
}
local ACTIONS = { render = true, update = true, check = true, cancel = true, list = true }

local function usage(message)
  error({ usage = message .. "; see --help" }, 0)
end

local function add_control(settings, text)
  local id, value = text:match("^(%w+)=(.*)$")
  if not id then
    usage("--set takes CONTROL=VALUE, got " .. text)
  elseif TEXTS[id] then
    settings[id] = value
  elseif NUMBERS[id] then
    settings[id] = tonumber(value) or usage("control " .. id .. " is a number, got " .. value)
  else
    usage("there is no control " .. id)
  end
end

-- The command line as a table: action, comp, tool, settings.
local function parse(arguments)
  local asked = { settings = {} }
  local index = 1
  while arguments[index] do
    local word = arguments[index]
    if word == "--help" then
      return { action = "help" }
    elseif word == "--comp" or word == "--tool" or word == "--set" then
      index = index + 1
      local value = arguments[index] or usage(word .. " needs a value")
      if word == "--set" then
        add_control(asked.settings, value)
      else
        asked[word:sub(3)] = value
      end
    elseif ACTIONS[word] and not asked.action then
      asked.action = word
    else
      usage("unknown argument " .. word)
    end
    index = index + 1
  end
  return asked.action and asked or usage("say what to do: render, update, check, cancel or list")
end

local function open_comp(fusion, file)
  if not fusion then
    error({ failure = "Fusion does not run, or does not take scripts from outside; start it first." }, 0)
  end
  local comp = file and fusion:LoadComp(file) or not file and fusion:GetCurrentComp()
  return comp or error({ failure = file and "Can't open " .. file .. "." or "No comp is open; give --comp." }, 0)
end

local function chosen(nodes, comp, name)
  if not name then
    local all = nodes.all(comp)
    return #all > 0 and all or error({ failure = "The comp has no VINet Inpaint tool." }, 0)
  end
  return { comp:FindTool(name) or error({ failure = "The comp has no tool " .. name .. "." }, 0) }
end

local function run(place, host, arguments)
  local asked = parse(arguments)
  if asked.action == "help" then
    print(HELP)
    return 0
  end
  local cleanplate, use = assert(loadfile(place .. "cleanplate.lua"))(place)
  local nodes = use("nodes")
  local comp = open_comp(host.fusion, asked.comp)
  local code = 0
  for _, tool in ipairs(chosen(nodes, comp, asked.tool)) do
    local parts = nodes.of(comp, tool)
    for id, value in pairs(asked.settings) do
      parts.controls:SetInput(id, value)
    end
    if asked.action == "list" then
      print(parts.name)
    else
      local given = { comp = comp, tool = tool, bmd = host.bmd, app = host.fusion }
      if not cleanplate(given, asked.action) then
        code = 1
      end
    end
  end
  return code
end

local function main(place, host, arguments)
  local done, code = pcall(run, place, host, arguments)
  if done then
    return code
  elseif type(code) ~= "table" then
    print("Cleanplate: " .. tostring(code))
    return 1
  end
  print("Cleanplate: " .. (code.usage or code.failure or code.cleanplate))
  return code.usage and 2 or 1
end

-- Loaded as a module it gives its function; started by fuscript it runs and ends with an exit code.
local given = rawget(_G, "arg")
if given and given[0] then
  local place = given[0]:gsub("\\", "/"):match("^(.*/)") or "./"
  os.exit(main(place, { fusion = rawget(_G, "Fusion") and Fusion(), bmd = bmd }, given))
end
return main
