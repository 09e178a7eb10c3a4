(command
  name: (command_name) @_source
  .
  argument: (_) @module
  (#says? @_source "source" ".")) @import
