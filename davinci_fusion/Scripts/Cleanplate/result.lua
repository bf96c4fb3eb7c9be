-- Show the clean plate in the comp: point the Loader and the Fuse at its files.

local use = ...
local export, paths = use("export"), use("paths")

local result = {}

-- Put a Loader's clip at its own frames.
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

local function first_there(host, pattern, first, last)
  for frame = first, last do
    local file = paths.frame(pattern, frame)
    if host.bmd.fileexists(file) then
      return file
    end
  end
end

-- Point a Loader at the sequence that a file is of, each frame at its own time. A new Clip resets ranges, trims,
-- holds and channels, so they come after it.
function result.load(loader, file, first, last)
  loader:SetAttrs({ TOOLB_PassThrough = true }) -- off and on: what was cached of older files goes
  loader:SetInput("Clip", file)
  place(loader, found(loader, first, last))
  loader:SetAttrs({ TOOLB_PassThrough = false })
end

-- The patch's layers in place of its colors, for Show: Source and Confidence.
local LAYERS = { Red = "source.class", Green = "source.share", Blue = "source.alone", Alpha = "source.frame" }

local function load_sources(host, parts, places, first, last)
  local file = parts.sources and first_there(host, places.patch, first, last)
  parts.result:SetInput("PatchPath", file and places.patch or "")
  if file then
    result.load(parts.sources, file, first, last)
    for color, layer in pairs(LAYERS) do
      parts.sources:SetInput("Clip1.OpenEXRFormat." .. color .. "Name", layer)
    end
  end
end

-- Show every frame of the clean plate that is there; those of the patch, too, where one is asked for.
-- A `preview` is while the render goes on: it leaves no step to undo.
function result.show(host, parts, places, first, last, with_patch, preview)
  local file = first_there(host, places.clean, first, last)
  if not file then
    return
  end
  export.with_locked(host.comp, "Cleanplate: show the clean plate", function()
    result.load(parts.loader, file, first, last)
    local fuse = parts.result
    fuse:SetInput("ResultPath", places.clean)
    fuse:SetInput("Revision", fuse:GetInput("Revision") + 1)
    if with_patch and not preview then
      load_sources(host, parts, places, first, last)
    end
  end, not preview)
end

return result
