-- What the artist has set, as the core's job.json (docs/job.schema.json).

local use = ...
local catalog, json, paths = use("catalog"), use("json"), use("paths")

local job = {}

-- The job as JSON text.
-- `again` renders all frames anew; otherwise only what is missing or has changed.
function job.text(comp, places, values, color_space, first, last, again)
  local shot = {
    plate = places.plate,
    matte = values.has_matte and places.matte or nil,
    shadow_matte = values.has_shadow and places.shadow or nil,
    output = places.clean,
    frames = first .. "-" .. last,
    colorspace = color_space,
    reference = values.reference ~= "" and comp:MapPath(values.reference) or nil,
  }
  if values.patch then
    shot.patch, shot.layers = places.patch, { "source" }
  end
  local run = {
    device = values.device,
    resume = not again,
    overwrite = again,
    progress_file = job.progress(places),
    cancel_file = job.cancel(places),
  }
  if values.model ~= "" then
    run.model = values.model
  end
  local asked = { version = 1, shot = shot, settings = catalog.asked(values.settings), run = run }
  if values.task == "retarget" then
    asked["do"], asked.retarget = values.task, { aspect = values.aspect, keep = values.background }
  elseif values.repairs then
    asked["do"], asked.restore = values.task, { sensitivity = values.sensitivity }
    asked.settings = values.has_matte and asked.settings or nil
  end
  return json.encode(asked) .. "\n"
end

function job.progress(places)
  return places.run .. "progress.jsonl"
end

function job.cancel(places)
  return places.run .. "cancel"
end

-- Write the job; returns its path.
function job.write(places, text)
  local path = places.run .. "job.json"
  paths.write(path, text)
  return path
end

return job
