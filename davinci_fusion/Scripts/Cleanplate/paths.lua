-- Folders and file names: what lies where for one inpaint tool.
--
-- On Windows, Lua's io library takes ANSI names, so it can't open a path with other letters. What this adapter itself
-- reads and writes (the plate and matte it exports, the job, the log) therefore goes into a folder with a plain
-- name there. The clean plate may lie anywhere: only the host and Cleanplate open it, and both know Unicode.

local use = ...
local fail = use("fail")

local paths = {}

-- "windows", "mac" or "linux".
function paths.system()
  return ({ Windows = "windows", OSX = "mac" })[jit and jit.os] or "linux"
end

-- With forward slashes, which every system takes, and one at the end.
function paths.folder(path)
  return (path:gsub("\\", "/"):gsub("/*$", "/"))
end

local function is_plain(path)
  return not path:find("[\128-\255]")
end

-- A short name for any text: letters that are safe in a file name, and a number that tells similar texts apart.
local function short_name(text)
  local sum = 5381
  for index = 1, #text do
    sum = (sum * 33 + text:byte(index)) % 4294967296
  end
  return string.format("%s-%08x", text:gsub("[^%w]+", "_"):sub(-24), sum)
end

local function home()
  return paths.folder(os.getenv("HOME") or os.getenv("USERPROFILE") or fail("There is no home folder; set Folder."))
end

-- A comp that was never saved, as every comp in Resolve, is told from others by a number kept in it.
local function comp_name(host)
  local name = host.comp:GetData("Cleanplate.Id")
  if not name then
    name = "comp-" .. host.bmd.createuuid():gsub("[^%w]", ""):sub(1, 8):lower()
    host.comp:SetData("Cleanplate.Id", name)
  end
  return name
end

local function chosen_folder(host, asked)
  if asked ~= "" then
    return paths.folder(host.comp:MapPath(asked))
  end
  local file = host.comp:GetAttrs("COMPS_FileName")
  if file and file ~= "" then
    local folder, name = file:gsub("\\", "/"):match("^(.*/)([^/]*)$")
    return folder .. "cleanplate/" .. name:gsub("%.[^.]*$", "") .. "/"
  end
  return home() .. "Cleanplate/" .. comp_name(host) .. "/"
end

-- Where everything of one tool lies.
--
--   root   the tool's own folder, in the folder asked for; blank: beside the comp, else in the home folder
--   clean  pattern of the clean plate
--   plate, matte, shadow  patterns of what the Savers write
--   reference  folder of frames painted by hand that were begun on the tool
--   painted  folder of what they were painted on
--   patch  pattern of the fill alone, where it is asked for
--   run    folder of job.json, progress.jsonl, cleanplate.log and the cancel file
function paths.of_tool(host, asked, tool_name)
  local root = chosen_folder(host, asked) .. tool_name .. "/"
  local work = root
  if paths.system() == "windows" and not is_plain(root) then
    local shared = os.getenv("ProgramData") or "C:/ProgramData"
    work = paths.folder(shared) .. "Cleanplate/" .. short_name(root) .. "/"
  end
  return {
    root = root,
    clean = root .. "clean/clean.####.exr",
    patch = root .. "patch/patch.####.exr",
    plate = work .. "plate/plate.####.exr",
    matte = work .. "matte/matte.####.exr",
    shadow = work .. "shadow/shadow.####.exr",
    reference = root .. "reference/",
    painted = root .. "painted/",
    run = work .. "run/",
  }
end

-- The file of one frame; the host and Cleanplate both fill up to four digits with zeros.
function paths.frame(pattern, frame)
  return (pattern:gsub("####", function()
    return string.format("%04d", frame)
  end))
end

-- Make a folder and those above it.
function paths.make(host, folder)
  local bmd = host.bmd
  local made = folder:match("^%a:/") or folder:match("^//[^/]+/[^/]+/") or folder:match("^/") or ""
  for part in folder:sub(#made + 1):gmatch("[^/]+") do
    made = made .. part
    if not bmd.direxists(made) then
      bmd.createdir(made)
    end
    made = made .. "/"
  end
  if not bmd.direxists(folder) then
    fail("Can't make the folder " .. folder .. "; choose another one under Folder.")
  end
end

-- Frames in the short way: 1001-1003,1007.
function paths.compact(frames)
  local parts, first = {}, nil
  for index, frame in ipairs(frames) do
    first = first or frame
    if frames[index + 1] ~= frame + 1 then
      parts[#parts + 1] = first == frame and tostring(frame) or first .. "-" .. frame
      first = nil
    end
  end
  return table.concat(parts, ",")
end

-- Write a file whole or not at all.
function paths.write(path, text)
  local file, reason = io.open(path .. ".part", "wb")
  if not file then
    fail("Can't write " .. path .. ": " .. tostring(reason) .. ".")
  end
  local done = file:write(text)
  done = file:close() and done
  os.remove(path) -- Windows does not rename onto a file
  if not done or not os.rename(path .. ".part", path) then
    fail("Can't write " .. path .. "; is the disk full?")
  end
end

-- The bytes of a file from an offset on, or nil when it is not there.
function paths.read(path, offset)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  file:seek("set", offset or 0)
  local text = file:read("*a")
  file:close()
  return text
end

return paths
