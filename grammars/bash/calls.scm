((command name: (command_name (word) @reference.call))
  (#match? @reference.call "[A-Za-z]"))

((simple_expansion (variable_name) @reference.use)
  (#match? @reference.use "[A-Za-z]"))

(expansion (variable_name) @reference.use)
