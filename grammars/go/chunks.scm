(source_file (const_declaration) @chunk)

(source_file (var_declaration) @chunk)
