(module
  name: [(constant) @name
         (scope_resolution scope: (_) @container name: (constant) @name)]) @definition.module

(class
  name: [(constant) @name
         (scope_resolution scope: (_) @container name: (constant) @name)]) @definition.class

[(method name: (_) @name)
 (singleton_method name: (_) @name)] @definition.function

(alias name: (identifier) @name) @definition.method

(assignment left: (constant) @name) @definition.constant

(call
  method: (identifier) @_attr
  arguments: (argument_list (simple_symbol) @name @definition.property)
  (#says? @_attr "attr_reader" "attr_writer" "attr_accessor"))
