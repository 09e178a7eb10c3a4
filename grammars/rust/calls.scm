(call_expression
  function: [(identifier) @reference.call
             (field_expression field: (field_identifier) @reference.call)
             (scoped_identifier name: (identifier) @reference.call)
             (generic_function
               function: [(identifier) @reference.call
                          (field_expression field: (field_identifier) @reference.call)
                          (scoped_identifier name: (identifier) @reference.call)])])

(macro_invocation macro: [(identifier) @reference.call (scoped_identifier name: (identifier) @reference.call)])

(struct_expression name: (type_identifier) @reference.call)

; Inside a macro nothing is parsed: a name before an open bracket is taken for a call.
(token_tree (identifier) @reference.call . (token_tree))

(type_identifier) @reference.type

(scoped_identifier path: (identifier) @reference.type)
