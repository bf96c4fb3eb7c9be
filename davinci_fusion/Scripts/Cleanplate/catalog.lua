-- The core's settings as they are declared there: defaults and presets, by the core's names.
--
-- settings.lua beside this file is generated from the core's declarations, and so are the macro's labels, hints,
-- ranges and defaults. A script, not data: where Lua may read no files it still loads scripts.

local use = ...
local fields = use("settings").fields

local catalog = {}

-- What a quality sets of other settings.
function catalog.presets(quality)
  return fields.quality.presets[quality]
end

-- What an artist has set, without what is at its default, so that a job says what was asked for.
function catalog.asked(values)
  local asked = {}
  for name, field in pairs(fields) do
    if values[name] ~= nil and values[name] ~= field.default then
      asked[name] = values[name]
    end
  end
  return asked
end

-- All of it as options of the command, in alphabetical order: a list of { option, value }; { option } for a switch.
-- What is at its default is among them: settings that lie beside the shot would take its place otherwise.
function catalog.options(values)
  local options = {}
  for name, value in pairs(values) do
    local option = fields[name].option
    if type(value) == "boolean" then
      options[#options + 1] = { value and option or option:gsub("^%-%-", "--no-") }
    else
      options[#options + 1] = { option, value }
    end
  end
  table.sort(options, function(a, b)
    return a[1] < b[1]
  end)
  return options
end

return catalog
