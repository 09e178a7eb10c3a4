(import_statement source: (string (string_fragment) @module)) @import

(import_statement
  (import_clause
    [(identifier) @name
     (namespace_import (identifier) @name)
     (named_imports (import_specifier name: (_) @name))])
  source: (string (string_fragment) @module)) @import

(import_statement
  (import_require_clause (identifier) @name source: (string (string_fragment) @module))) @import

(export_statement source: (string (string_fragment) @module)) @import

(export_statement
  (export_clause (export_specifier name: (_) @name))
  source: (string (string_fragment) @module)) @import

(call_expression
  function: (identifier) @_require
  arguments: (arguments . (string (string_fragment) @module))
  (#says? @_require "require")) @import

(call_expression
  function: (import)
  arguments: (arguments . (string (string_fragment) @module))) @import
