[(function_item name: (identifier) @name)
 (function_signature_item name: (identifier) @name)] @definition.function

(struct_item name: (type_identifier) @name) @definition.struct

(union_item name: (type_identifier) @name) @definition.struct

(enum_item name: (type_identifier) @name) @definition.enum

(enum_variant name: (identifier) @name) @definition.constant

(trait_item name: (type_identifier) @name) @definition.trait

[(type_item name: (type_identifier) @name)
 (associated_type name: (type_identifier) @name)] @definition.type

[(const_item name: (identifier) @name)
 (static_item name: (identifier) @name)] @definition.constant

(field_declaration name: (field_identifier) @name) @definition.field

(macro_definition name: (identifier) @name) @definition.macro

(mod_item name: (identifier) @name body: (_)) @definition.module

(impl_item
  type: [(type_identifier) @name
         (generic_type type: (type_identifier) @name)
         (scoped_type_identifier name: (type_identifier) @name)]) @scope
