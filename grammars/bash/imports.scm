(command
  name: (command_name) @_source
  .
  argument: (_) @module
  (#any-of? @_source "source" ".")) @import
