-- Raise what is meant for the user: one sentence, without Lua's file and line before it.

return function(message)
  error({ cleanplate = message }, 0)
end
