-- Script menu: stop the clean plate of the selected tool, for when the tool's own Cancel button does not answer.

local function place()
  for _, folder in pairs(comp:MapPathSegments("Scripts:")) do
    local found = folder:gsub("[/\\]*$", "/") .. "Cleanplate/"
    if bmd.fileexists(found .. "cleanplate.lua") then
      return found
    end
  end
end

local tool, found = comp.ActiveTool, place()
if not found then
  print("Cleanplate: its scripts are not in any folder of the path map Scripts:; run `cleanplate install fusion`.")
elseif not tool then
  print("Cleanplate: select the VINet Inpaint tool first.")
else
  assert(loadfile(found .. "cleanplate.lua"))(found)({ comp = comp, tool = tool, bmd = bmd, app = app }, "cancel")
end
