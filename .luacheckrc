-- The adapter for Fusion: Lua 5.1 as LuaJIT has it, and exactly the names that the host gives each kind of script.
std = "luajit"
max_line_length = 120
files["davinci_fusion/Scripts/Comp"] = { read_globals = { "comp", "bmd", "app" } }
files["davinci_fusion/Scripts/Cleanplate/cli.lua"] = { read_globals = { "bmd", "Fusion" } }
files["davinci_fusion/Scripts/Cleanplate/settings.lua"] = { max_line_length = false }
files["davinci_fusion/Fuses"] = {
  read_globals = { "FuRegisterClass", "CT_Tool", "self", "Image", "Pixel", "bmd" },
  -- A Fuse's functions and inputs are globals of its own environment.
  globals = { "Create", "Process", "InMode", "InChannel", "InPath", "InRevision", "InPlate", "InMatte", "InResult", "InPatch", "InSources", "OutImage" },
  allow_defined_top = true,
  ignore = { "131" }, -- an "unused" global: Fusion calls Create and Process
}
