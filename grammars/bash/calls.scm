((command name: (command_name (word) @reference.call))
  (#fits? @reference.call "[A-Za-z]"))

((simple_expansion (variable_name) @reference.use)
  (#fits? @reference.use "[A-Za-z]"))

(expansion (variable_name) @reference.use)
