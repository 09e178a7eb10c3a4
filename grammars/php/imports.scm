(namespace_use_declaration
  (namespace_use_clause . [(qualified_name prefix: (_) @module (name) @name) (name) @name])) @import

(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . [(name) @name (qualified_name (name) @name)]))) @import

[(require_once_expression (_ (string_content) @module))
 (require_expression (_ (string_content) @module))
 (include_expression (_ (string_content) @module))
 (include_once_expression (_ (string_content) @module))] @import
