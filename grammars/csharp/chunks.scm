[(operator_declaration) (indexer_declaration) (destructor_declaration)] @chunk
