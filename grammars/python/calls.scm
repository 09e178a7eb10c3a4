(call function: [(identifier) @reference.call (attribute attribute: (identifier) @reference.call)])

(decorator [(identifier) @reference.call (attribute attribute: (identifier) @reference.call)])

(class_definition
  superclasses: (argument_list
    [(identifier) @reference.type
     (attribute attribute: (identifier) @reference.type)
     (subscript value: (identifier) @reference.type)]))

(type (identifier) @reference.type)

(type (attribute attribute: (identifier) @reference.type))

(type (generic_type (identifier) @reference.type))

(type (binary_operator (identifier) @reference.type))

(except_clause value: [
  (identifier) @reference.type
  (as_pattern (identifier) @reference.type)
  (tuple (identifier) @reference.type)
])

(raise_statement . (identifier) @reference.type)
