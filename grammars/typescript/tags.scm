[(function_declaration name: (identifier) @name)
 (generator_function_declaration name: (identifier) @name)
 (function_signature name: (identifier) @name)] @definition.function

[(class_declaration name: (type_identifier) @name)
 (abstract_class_declaration name: (type_identifier) @name)] @definition.class

(interface_declaration name: (type_identifier) @name) @definition.interface

(enum_declaration name: (identifier) @name) @definition.enum

(enum_body
  [(property_identifier) @name @definition.constant
   (enum_assignment name: (property_identifier) @name) @definition.constant])

(type_alias_declaration name: (type_identifier) @name) @definition.type

[(internal_module name: (_) @name)
 (module name: (_) @name)] @definition.module

[(method_definition name: (_) @name)
 (method_signature name: (_) @name)
 (abstract_method_signature name: (_) @name)] @definition.method

[(public_field_definition name: (_) @name)
 (property_signature name: (_) @name)] @definition.field

(variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @definition.function

(variable_declarator
  name: (identifier) @name
  value: (class)) @definition.class

(pair
  key: (property_identifier) @name
  value: [(arrow_function) (function_expression)]) @definition.method

(assignment_expression
  left: (member_expression property: (property_identifier) @name)
  right: [(arrow_function) (function_expression) (class)]) @definition.function

(program
  [(lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)
   (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)
   (export_statement
     (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable))])

(statement_block
  (export_statement
    (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)))
