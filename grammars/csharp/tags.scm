[(class_declaration name: (identifier) @name)
 (record_declaration name: (identifier) @name)] @definition.class

(interface_declaration name: (identifier) @name) @definition.interface

(struct_declaration name: (identifier) @name) @definition.struct

(enum_declaration name: (identifier) @name) @definition.enum

(enum_member_declaration name: (identifier) @name) @definition.constant

(delegate_declaration name: (identifier) @name) @definition.type

[(namespace_declaration name: (_) @name)
 (file_scoped_namespace_declaration name: (_) @name)] @definition.module

[(method_declaration name: (identifier) @name)
 (constructor_declaration name: (identifier) @name)] @definition.method

(local_function_statement name: (identifier) @name) @definition.function

[(property_declaration name: (identifier) @name)
 (event_declaration name: (identifier) @name)] @definition.property

[(field_declaration (variable_declaration (variable_declarator name: (identifier) @name)))
 (event_field_declaration
   (variable_declaration (variable_declarator name: (identifier) @name)))] @definition.field
