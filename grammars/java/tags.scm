(class_declaration name: (identifier) @name) @definition.class

(record_declaration name: (identifier) @name) @definition.class

[(interface_declaration name: (identifier) @name)
 (annotation_type_declaration name: (identifier) @name)] @definition.interface

(enum_declaration name: (identifier) @name) @definition.enum

(enum_constant name: (identifier) @name) @definition.constant

[(method_declaration name: (identifier) @name)
 (constructor_declaration name: (identifier) @name)
 (compact_constructor_declaration name: (identifier) @name)
 (annotation_type_element_declaration name: (identifier) @name)] @definition.method

[(field_declaration declarator: (variable_declarator name: (identifier) @name))
 (constant_declaration declarator: (variable_declarator name: (identifier) @name))] @definition.field

(record_declaration
  parameters: (formal_parameters (formal_parameter name: (identifier) @name) @definition.field))
