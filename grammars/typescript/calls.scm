(call_expression
  function: [(identifier) @reference.call
             (member_expression property: (_) @reference.call)])

(new_expression
  constructor: [(identifier) @reference.call
                (member_expression property: (_) @reference.call)])

(decorator (identifier) @reference.call)

(extends_clause value: [(identifier) @reference.type (member_expression property: (_) @reference.type)])

; Every other type; the ones that name a definition are taken by tags.
(type_identifier) @reference.type
