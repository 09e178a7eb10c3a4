(call
  !receiver
  method: (identifier) @_require
  arguments: (argument_list . (string (string_content) @module))
  (#says? @_require "require" "require_relative" "load")) @import
