(preproc_include
  path: [(system_lib_string) @module (string_literal (string_content) @module)]) @import

(using_declaration (qualified_identifier scope: (_) @module name: (identifier) @name)) @import

(using_declaration "namespace" [(identifier) (qualified_identifier)] @module) @import
