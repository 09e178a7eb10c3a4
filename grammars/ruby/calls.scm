(call method: [(identifier) @reference.call (constant) @reference.call])

(superclass [(constant) @reference.type (scope_resolution name: (constant) @reference.type)])

(constant) @reference.type
