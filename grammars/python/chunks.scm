(module (if_statement) @chunk)
