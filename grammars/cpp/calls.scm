(call_expression
  function: [
    (identifier) @reference.call
    (field_expression field: (field_identifier) @reference.call)
    (field_expression field: (template_method name: (field_identifier) @reference.call))
    (template_function name: (identifier) @reference.call)
    (qualified_identifier name: (identifier) @reference.call)
    (qualified_identifier name: (template_function name: (identifier) @reference.call))
    (qualified_identifier name: (qualified_identifier name: (identifier) @reference.call))
  ])

(new_expression type: (type_identifier) @reference.call)

(type_identifier) @reference.type
