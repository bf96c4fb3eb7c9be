-- The clip that the plate comes from: which frames of the comp it has, and whether it was trimmed, slipped or retimed.
-- In Resolve that is the MediaIn, whose range follows the clip on the timeline; in Fusion Studio a Loader.

local use = ...
local nodes = use("nodes")

local media = {}

local CLIPS = { MediaIn = true, Loader = true }
local TIMING = { "GlobalIn", "GlobalOut", "ClipTimeStart", "ClipTimeEnd" }
local DEEPEST = 200 -- tools that are looked through
local NOTED = "Cleanplate.Timing"

-- The clip at the head of the plate's main inputs, or nil.
local function clip_of(parts)
  local tool = nodes.plate(parts)
  for _ = 1, DEEPEST do
    if not tool or CLIPS[tool.ID] then
      return tool
    end
    local input = tool:FindMainInput(1)
    local output = input and input:GetConnectedOutput()
    tool = output and output:GetTool()
  end
end

local function timing_of(clip)
  local numbers = {}
  for index, id in ipairs(TIMING) do
    numbers[index] = tostring(clip:GetInput(id))
  end
  return table.concat(numbers, " ")
end

-- What to say of frames that the clip does not have; nil for nothing.
function media.missing(parts, first, last)
  local clip = clip_of(parts)
  local from, to = clip and clip:GetInput("GlobalIn"), clip and clip:GetInput("GlobalOut")
  if from and to and (first < from or last > to) then
    return string.format(
      "%s has frames %d-%d here, and %d-%d are asked for: set Range to First to Last, or let out the clip.",
      clip.Name,
      from,
      to,
      first,
      last
    )
  end
end

-- Whether the clip lies in the comp as it did when plates were written last; true also where nobody knows.
function media.is_as_written(parts)
  local clip, noted = clip_of(parts), parts.controls:GetData(NOTED)
  return not clip or not noted or noted == timing_of(clip)
end

-- Remember how the clip lies, since plates were written.
function media.note(parts)
  local clip = clip_of(parts)
  parts.controls:SetData(NOTED, clip and timing_of(clip) or nil)
end

return media
