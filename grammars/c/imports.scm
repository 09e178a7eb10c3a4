(preproc_include
  path: [(system_lib_string) @module (string_literal (string_content) @module)]) @import
