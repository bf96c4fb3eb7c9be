-- Tools made beside the macro, for an artist to go on with: a frame to paint, and the patch over the plate.

local use = ...
local export, fail, nodes = use("export"), use("fail"), use("nodes")
local paths, result = use("paths"), use("result")

local beside = {}

local ANYWHERE = -32768 -- AddTool's position: where the host would put it
local FOR, FRAME = "Cleanplate.For", "Cleanplate.Frame" -- kept on the Saver of a painted frame

local function add(comp, class)
  return comp:AddTool(class, ANYWHERE, ANYWHERE) or fail("Fusion did not add a " .. class .. ".")
end

local function set_up_exr(saver)
  saver:SetInput("CreateDir", 1)
  saver:SetInput("OutputFormat", "OpenEXRFormat")
  saver:SetInput("OpenEXRFormat.Depth", 2) -- 32 bits
  saver:SetAttrs({ TOOLB_PassThrough = true }) -- only Render writes it, for its one frame
end

-- Where the painted frame goes, and the control set to it: the artist's folder, else one of the tool's own.
local function reference_folder(host, parts, places, given)
  if given == "" then
    parts.controls:SetInput("Reference", places.reference)
    return places.reference
  end
  local folder = host.comp:MapPath(given)
  if folder:match("[^/\\]*$"):find("%.") then
    fail("Reference frames names files, " .. given .. "; name a folder, or nothing.")
  end
  return paths.folder(folder)
end

-- Make a Paint tool on the clean plate's current frame, and a Saver that Render writes. What is painted on is a copy
-- of the frame: the clean plate will hold the strokes itself, and a clone of a clone must not creep on.
function beside.paint(host, parts, places, values)
  local comp, frame = host.comp, math.floor(host.comp.CurrentTime)
  if not host.bmd.fileexists(paths.frame(places.clean, frame)) then
    fail("There is no clean plate of frame " .. frame .. " yet; press Render first.")
  end
  local folder = reference_folder(host, parts, places, values.reference)
  local loader, paint, saver
  export.with_locked(comp, "Cleanplate: paint frame " .. frame, function()
    loader, paint, saver = add(comp, "Loader"), add(comp, "Paint"), add(comp, "Saver")
    result.load(loader, paths.frame(places.clean, frame), frame, frame)
    set_up_exr(saver)
    saver:ConnectInput("Input", loader)
  end)
  local base = places.painted .. frame .. "/base.####.exr"
  export.write(host, saver, "frame to paint", base, frame, frame, values.patience_minutes)
  export.with_locked(comp, "Cleanplate: paint frame " .. frame, function()
    result.load(loader, paths.frame(base, frame), frame, frame)
    paint:ConnectInput("Input", loader)
    saver:ConnectInput("Input", paint)
    saver:SetInput("Clip", paths.frame(folder .. "ref.####.exr", frame))
    saver:SetData(FOR, parts.name)
    saver:SetData(FRAME, frame)
  end)
  comp:SetActiveTool(paint)
  return string.format("Paint frame %d in %s, then press Render.", frame, paint.Name)
end

-- Have every frame that was painted for the macro written, as it is now.
function beside.write_painted(host, parts, values)
  if values.reference == "" then
    return
  end
  for _, saver in pairs(host.comp:GetToolList(false, "Saver")) do
    local frame = saver:GetData(FRAME)
    if frame and saver:GetData(FOR) == parts.name then
      local pattern = saver:GetInput("Clip"):gsub("%d+(%.%w+)$", "####%1")
      export.write(host, saver, "painted frame", pattern, frame, frame, values.patience_minutes)
    end
  end
end

-- Make a Loader of the patch and a Merge of it over the plate.
function beside.patch(host, parts, places, first, last)
  local comp, file = host.comp, paths.frame(places.patch, first)
  if not host.bmd.fileexists(file) then
    fail("There is no patch yet; switch Patch on and press Render.")
  end
  local plate, merge = nodes.plate(parts), nil
  export.with_locked(comp, "Cleanplate: the patch in the comp", function()
    local loader = add(comp, "Loader")
    merge = add(comp, "Merge")
    result.load(loader, file, first, last)
    merge:ConnectInput("Background", plate)
    merge:ConnectInput("Foreground", loader)
  end)
  return merge.Name .. " lays the patch over the plate."
end

return beside
