-- What the artist has set, as the core's job.json (docs/job.schema.json).

local use = ...
local json, paths = use("json"), use("paths")

local job = {}

-- The job as JSON text. What is at its default is left out, so that the file says what was asked for.
-- `again` renders all frames anew; otherwise only what is missing or has changed.
function job.text(places, values, color_space, first, last, again)
  local settings = {}
  if values.grow ~= 0 then
    settings.grow = values.grow
  end
  if values.feather ~= 0 then
    settings.feather = values.feather
  end
  if values.channel ~= "auto" then
    settings.matte_channel = values.channel
  end
  if values.invert then
    settings.matte_invert = true
  end
  if values.grain then
    settings.grain = "auto"
  end
  settings.working_size = values.working_size
  settings.propagate = values.propagate
  local shot = {
    plate = places.plate,
    matte = places.matte,
    output = places.clean,
    frames = first .. "-" .. last,
    colorspace = color_space,
  }
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
  return json.encode({ version = 1, shot = shot, settings = settings, run = run }) .. "\n"
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
