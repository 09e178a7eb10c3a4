(method_invocation name: (identifier) @reference.call)

(object_creation_expression
  type: [(type_identifier) @reference.call (generic_type (type_identifier) @reference.call)])

(method_reference (identifier) @reference.call .)

[(annotation name: (identifier) @reference.type)
 (marker_annotation name: (identifier) @reference.type)]

(type_identifier) @reference.type
