(static_initializer) @chunk
