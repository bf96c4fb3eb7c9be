-- Render the macro's two Savers, and nothing else in the comp, to files that are checked one by one.

local use = ...
local fail, paths = use("fail"), use("paths")

local export = {}

local QUIET = 524288 -- RenderFlags: no dialog at the end
local SETTLE_SECONDS = 3 -- a render that does not wait may begin a moment later, and a server show its files late
local EXR_MAGIC = "\118\47\49\1"

-- Do something with the comp locked and in one undo step, which is kept unless `keep` is false; both end whatever
-- happens.
function export.with_locked(comp, name, action, keep)
  comp:Lock()
  comp:StartUndo(name)
  local done, result = pcall(action)
  comp:EndUndo(keep ~= false)
  comp:Unlock()
  if not done then
    error(result, 0)
  end
  return result
end

-- Let only one Saver write while an action runs. All of them are as before afterwards, also after an error.
local function with_only(comp, saver, action)
  local before = {}
  for _, other in pairs(comp:GetToolList(false, "Saver")) do
    before[other] = other:GetAttrs("TOOLB_PassThrough") or false
  end
  local done, result = pcall(function()
    for other in pairs(before) do
      other:SetAttrs({ TOOLB_PassThrough = other.Name ~= saver.Name })
    end
    return action()
  end)
  for other, passes in pairs(before) do
    other:SetAttrs({ TOOLB_PassThrough = passes })
  end
  if not done then
    error(result, 0)
  end
  return result
end

-- Whether a file is an OpenEXR file; where Lua may open none, whether it is there.
local function is_exr(host, path)
  if not io then
    return host.bmd.fileexists(path)
  end
  local file = io.open(path, "rb")
  local magic = file and file:read(4)
  if file then
    file:close()
  end
  return magic == EXR_MAGIC
end

local function unwritten(host, pattern, first, last)
  local missing = {}
  for frame = first, last do
    if not is_exr(host, paths.frame(pattern, frame)) then
      missing[#missing + 1] = frame
    end
  end
  return missing
end

-- Wait for a render that was started. A Saver can hang without a word, so what counts is files that appear.
local function wait_for(host, what, pattern, first, last, patience_minutes)
  local frame, since = first, os.time()
  local function is_under_way()
    return host.comp:IsRendering() or frame <= last and os.time() - since <= SETTLE_SECONDS
  end
  while is_under_way() do
    if host.canceled() then
      host.comp:AbortRender()
      fail("Canceled while Fusion rendered the " .. what .. ".")
    end
    host.bmd.wait(0.1)
    while frame <= last and host.bmd.fileexists(paths.frame(pattern, frame)) do
      frame, since = frame + 1, os.time()
      host.say(string.format("Fusion renders the %s: frame %d", what, frame - 1))
    end
    if os.time() - since > 60 * patience_minutes then
      host.comp:AbortRender()
      fail(
        string.format(
          "Fusion wrote no frame of the %s in %d minutes (frame %d was next); the render was stopped. "
            .. "Raise Patience if the comp is that slow.",
          what,
          patience_minutes,
          frame
        )
      )
    end
  end
end

-- Have one Saver write a range, and look at every file.
local function render(host, saver, what, pattern, first, last, patience_minutes)
  saver:SetInput("Clip", paths.frame(pattern, first))
  for frame = first, os.remove and last or first - 1 do
    os.remove(paths.frame(pattern, frame)) -- an old file must never pass for a new one
  end
  local started = host.comp:Render({
    Start = first,
    End = last,
    Tool = saver,
    Wait = false,
    HiQ = true,
    MotionBlur = true,
    SizeType = 1, -- full size, proxy or not
    StepRender = false,
    RenderFlags = QUIET,
  })
  if not started then
    fail("Fusion did not start to render the " .. what .. ". Is it connected? The Console says more.")
  end
  wait_for(host, what, pattern, first, last, patience_minutes)
  local missing = unwritten(host, pattern, first, last)
  if #missing > 0 then
    fail(
      string.format(
        "Fusion did not write frames %s of the %s (expected %s). Is it connected on all frames? The Console says more.",
        paths.compact(missing),
        what,
        paths.frame(pattern, missing[1])
      )
    )
  end
end

-- Whether every frame of a range has been exported before.
function export.is_there(host, pattern, first, last)
  return #unwritten(host, pattern, first, last) == 0
end

-- Have one Saver, and no other, write a range. Raises an error, with the comp as it was, unless every file is there.
function export.write(host, saver, what, pattern, first, last, patience_minutes)
  if host.bmd.createdir then -- the Savers make it too, where they are let
    paths.make(host, pattern:match("^.*/"))
  end
  export.with_locked(host.comp, "Cleanplate: write the " .. what, function()
    with_only(host.comp, saver, function()
      render(host, saver, what, pattern, first, last, patience_minutes)
    end)
  end)
end

-- What is written for the core, as `values` has it: plate, matte, shadow.
function export.kinds(values)
  local kinds = { "plate" }
  if values.has_matte then
    kinds[#kinds + 1] = "matte"
  end
  if values.has_shadow then
    kinds[#kinds + 1] = "shadow"
  end
  return kinds
end

-- Write all of it for a range. Raises an error, with the comp as it was, unless every file is there.
function export.run(host, parts, places, values, first, last)
  for _, what in ipairs(export.kinds(values)) do
    export.write(host, parts[what], what, places[what], first, last, values.patience_minutes)
  end
end

return export
