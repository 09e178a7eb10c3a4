(function_call_expression function: [(name) @reference.call (qualified_name (name) @reference.call)])

[(member_call_expression name: (name) @reference.call)
 (nullsafe_member_call_expression name: (name) @reference.call)
 (scoped_call_expression name: (name) @reference.call)]

(scoped_call_expression scope: [(name) @reference.type (qualified_name (name) @reference.type)])

(class_constant_access_expression . (name) @reference.type)

(object_creation_expression [(name) @reference.call (qualified_name (name) @reference.call)])

(named_type [(name) @reference.type (qualified_name (name) @reference.type)])

(base_clause [(name) @reference.type (qualified_name (name) @reference.type)])

(class_interface_clause [(name) @reference.type (qualified_name (name) @reference.type)])

(use_declaration [(name) @reference.type (qualified_name (name) @reference.type)])

(attribute (name) @reference.type)
