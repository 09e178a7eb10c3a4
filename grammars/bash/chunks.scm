(program [(if_statement) (while_statement) (for_statement) (case_statement)] @chunk)
