-- JSON (RFC 8259) for the job file and the progress lines, since no JSON library can be relied on in the host.
--
-- Strings are UTF-8 bytes and pass through as they are. An empty table is an object; json.array{} marks a list.

local json = {}

local DEEPEST = 100

-- Stands for JSON's null, which a Lua table can't hold.
json.null = setmetatable({}, {
  __tostring = function()
    return "null"
  end,
})

local array = {}

-- Mark a table as a list, so that an empty one is written as [].
function json.array(list)
  return setmetatable(list, array)
end

local ESCAPES = {
  ['"'] = '\\"',
  ["\\"] = "\\\\",
  ["\b"] = "\\b",
  ["\f"] = "\\f",
  ["\n"] = "\\n",
  ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function quoted(text)
  return '"'
    .. text:gsub('[%z\1-\31\\"\127]', function(char)
      return ESCAPES[char] or string.format("\\u%04x", char:byte())
    end)
    .. '"'
end

local function number_text(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("JSON has no number " .. tostring(value), 0)
  end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return string.format("%d", value)
  end
  return string.format("%.17g", value)
end

local encoded

local function encoded_list(list, depth)
  local parts, count = {}, 0
  for _ in pairs(list) do
    count = count + 1
  end
  if count ~= #list then
    error("a table is either a list or an object in JSON, not both", 0)
  end
  for index = 1, #list do
    parts[index] = encoded(list[index], depth)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encoded_object(object, depth)
  local keys, parts = {}, {}
  for key in pairs(object) do
    if type(key) ~= "string" then
      error("a JSON object has names, not " .. type(key) .. "s, as keys", 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for index, key in ipairs(keys) do
    parts[index] = quoted(key) .. ":" .. encoded(object[key], depth)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encoded(value, depth)
  local kind = type(value)
  if depth > DEEPEST then
    error("a value nests deeper than " .. DEEPEST .. " levels, or holds itself", 0)
  elseif value == json.null then
    return "null"
  elseif kind == "string" then
    return quoted(value)
  elseif kind == "number" then
    return number_text(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "table" then
    error("JSON can't hold a " .. kind, 0)
  elseif getmetatable(value) == array or #value > 0 then
    return encoded_list(value, depth + 1)
  end
  return encoded_object(value, depth + 1)
end

-- The value as JSON text, names in alphabetical order. Raises an error for what JSON can't hold.
function json.encode(value)
  return encoded(value, 0)
end

local function refuse(text, at, what)
  error(string.format("JSON: %s at character %d of %q", what, at, text:sub(1, 60)), 0)
end

local function after_space(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function utf8_of(code)
  if code < 0x80 then
    return string.char(code)
  elseif code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(
    0xF0 + math.floor(code / 262144),
    0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64,
    0x80 + code % 64
  )
end

local LETTERS = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

-- The character after a backslash, and where the text goes on. Half a surrogate pair is refused.
local function unescaped(text, at)
  local letter = text:sub(at, at)
  if letter ~= "u" then
    return LETTERS[letter] or refuse(text, at, "unknown escape"), at + 1
  end
  local code = tonumber(text:match("^%x%x%x%x", at + 1) or refuse(text, at, "expected four hex digits"), 16)
  if code < 0xD800 or code > 0xDFFF then
    return utf8_of(code), at + 5
  end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", at + 5) or "", 16)
  if code > 0xDBFF or not low or low < 0xDC00 or low > 0xDFFF then
    refuse(text, at, "half a surrogate pair")
  end
  return utf8_of(0x10000 + (code - 0xD800) * 1024 + low - 0xDC00), at + 11
end

local function string_at(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find('[%z\1-\31\\"]', at)
    if not stop then
      refuse(text, at, "a string without an end")
    end
    parts[#parts + 1] = text:sub(at, stop - 1)
    local char = text:sub(stop, stop)
    if char == '"' then
      return table.concat(parts), stop + 1
    elseif char ~= "\\" then
      refuse(text, stop, "a control character in a string")
    end
    parts[#parts + 1], at = unescaped(text, stop + 1)
  end
end

local function number_at(text, at)
  local digits = text:match("^-?0", at) or text:match("^-?[1-9]%d*", at) or refuse(text, at, "unexpected text")
  digits = digits .. (text:match("^%.%d+", at + #digits) or "")
  digits = digits .. (text:match("^[eE][+-]?%d+", at + #digits) or "")
  return tonumber(digits), at + #digits
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", json.null } }

local function word_at(text, at)
  local word = WORDS[text:sub(at, at)]
  if word and text:sub(at, at + #word[1] - 1) == word[1] then
    return word[2], at + #word[1]
  end
  return number_at(text, at)
end

local value_at

local function list_at(text, at, depth)
  local list = json.array({})
  at = after_space(text, at + 1)
  if text:sub(at, at) == "]" then
    return list, at + 1
  end
  while true do
    list[#list + 1], at = value_at(text, at, depth)
    at = after_space(text, at)
    local char = text:sub(at, at)
    if char == "]" then
      return list, at + 1
    elseif char ~= "," then
      refuse(text, at, "expected , or ]")
    end
    at = at + 1
  end
end

local function object_at(text, at, depth)
  local object = {}
  at = after_space(text, at + 1)
  if text:sub(at, at) == "}" then
    return object, at + 1
  end
  while true do
    at = after_space(text, at)
    if text:sub(at, at) ~= '"' then
      refuse(text, at, "expected a name in quotes")
    end
    local name
    name, at = string_at(text, at)
    at = after_space(text, at)
    if text:sub(at, at) ~= ":" then
      refuse(text, at, "expected :")
    end
    object[name], at = value_at(text, at + 1, depth)
    at = after_space(text, at)
    local char = text:sub(at, at)
    if char == "}" then
      return object, at + 1
    elseif char ~= "," then
      refuse(text, at, "expected , or }")
    end
    at = at + 1
  end
end

function value_at(text, at, depth)
  if depth > DEEPEST then
    refuse(text, at, "more than " .. DEEPEST .. " levels")
  end
  at = after_space(text, at)
  local char = text:sub(at, at)
  if char == "{" then
    return object_at(text, at, depth + 1)
  elseif char == "[" then
    return list_at(text, at, depth + 1)
  elseif char == '"' then
    return string_at(text, at)
  end
  return word_at(text, at)
end

-- The value in a JSON text; null becomes json.null. Raises an error that says what is wrong and where.
function json.decode(text)
  local value, at = value_at(text, 1, 0)
  at = after_space(text, at)
  if at <= #text then
    refuse(text, at, "text after the end")
  end
  return value
end

return json
