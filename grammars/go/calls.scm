(call_expression
  function: [(identifier) @reference.call
             (selector_expression field: (field_identifier) @reference.call)
             (index_expression operand: (identifier) @reference.call)
             (index_expression operand: (selector_expression field: (field_identifier) @reference.call))
             (parenthesized_expression (identifier) @reference.call)])

(type_identifier) @reference.type
