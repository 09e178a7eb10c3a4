(invocation_expression
  function: [
    (identifier) @reference.call
    (generic_name (identifier) @reference.call)
    (member_access_expression
      name: [(identifier) @reference.call (generic_name (identifier) @reference.call)])
    (conditional_access_expression (member_binding_expression name: (identifier) @reference.call))
  ])

(object_creation_expression
  type: [(identifier) @reference.call (generic_name (identifier) @reference.call)])

(attribute name: (identifier) @reference.type)

(base_list [(identifier) @reference.type (generic_name (identifier) @reference.type)])

(_ type: [(identifier) @reference.type (generic_name (identifier) @reference.type)])

(_ returns: [(identifier) @reference.type (generic_name (identifier) @reference.type)])

(type_argument_list (identifier) @reference.type)
