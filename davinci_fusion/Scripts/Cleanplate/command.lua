-- Where the command `cleanplate` is.

local use, folder = ...
local fail, json, paths = use("fail"), use("json"), use("paths")

local command = {}

-- What `cleanplate install fusion` has noted beside these scripts.
local function noted()
  local text = paths.read(folder .. "installed.json")
  return text and json.decode(text).command or nil
end

-- The path set on the tool, else the one that was installed with, else $CLEANPLATE, else the name alone.
function command.find(host, asked)
  if asked ~= "" then
    local path = host.comp:MapPath(asked)
    if not host.bmd.fileexists(path) then
      fail("There is no cleanplate at " .. path .. "; set Path to cleanplate, or leave it empty.")
    end
    return path
  end
  local path = noted() or os.getenv("CLEANPLATE")
  if path and not host.bmd.fileexists(path) then
    fail("Cleanplate is no longer at " .. path .. "; run `cleanplate install fusion` again, or set its path.")
  end
  return path or "cleanplate"
end

return command
