(use_declaration
  argument: [(scoped_identifier path: (_) @module name: (identifier) @name)
             (use_wildcard (_) @module)
             (use_as_clause path: (scoped_identifier path: (_) @module name: (identifier) @name))
             (identifier) @module]) @import

(use_declaration
  argument: (scoped_use_list
    path: (_) @module
    list: (use_list
      [(identifier) @name
       (scoped_identifier name: (identifier) @name)
       (use_as_clause path: (identifier) @name)
       (use_as_clause path: (scoped_identifier name: (identifier) @name))
       (scoped_use_list list: (use_list (identifier) @name))]))) @import

(extern_crate_declaration name: (identifier) @module) @import

(mod_item name: (identifier) @module !body) @import
