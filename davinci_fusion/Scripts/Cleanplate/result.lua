-- Show the clean plate in the comp: point the Loader and the Fuse at its files.

local use = ...
local export, paths = use("export"), use("paths")

local result = {}

-- Setting GlobalIn shifts the trims, and neither end may pass the other, so the order matters.
local function place(loader, first, last)
  if first > loader:GetInput("GlobalOut") then
    loader:SetInput("GlobalOut", last)
    loader:SetInput("GlobalIn", first)
  else
    loader:SetInput("GlobalIn", first)
    loader:SetInput("GlobalOut", last)
  end
  loader:SetInput("ClipTimeStart", 0)
  loader:SetInput("ClipTimeEnd", last - first)
  loader:SetInput("HoldFirstFrame", 0)
  loader:SetInput("HoldLastFrame", 0)
  loader:SetInput("Loop", 0)
end

-- The frames that the Loader found on disk; more than were rendered now where the range was longer before.
local function found(loader, first, last)
  local attributes = loader:GetAttrs()
  local starts, lengths = attributes.TOOLIT_Clip_StartFrame, attributes.TOOLIT_Clip_Length
  if starts and starts[1] and lengths and lengths[1] and lengths[1] > 0 then
    return starts[1], starts[1] + lengths[1] - 1
  end
  return first, last
end

local function first_there(host, places, first, last)
  for frame = first, last do
    local file = paths.frame(places.clean, frame)
    if host.bmd.fileexists(file) then
      return file
    end
  end
end

-- Every frame of the clean plate that is there at its own time. A new Clip resets ranges, trims and holds, so they
-- come after it.
function result.show(host, parts, places, first, last)
  local file = first_there(host, places, first, last)
  if not file then
    return
  end
  export.with_locked(host.comp, "Cleanplate: show the clean plate", function()
    local loader, fuse = parts.loader, parts.result
    loader:SetAttrs({ TOOLB_PassThrough = true }) -- off and on: what was cached of older files goes
    loader:SetInput("Clip", file)
    place(loader, found(loader, first, last))
    loader:SetAttrs({ TOOLB_PassThrough = false })
    fuse:SetInput("ResultPath", places.clean)
    fuse:SetInput("Revision", fuse:GetInput("Revision") + 1)
  end)
end

return result
