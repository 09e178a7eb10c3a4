(using_directive name: (identifier) @name (_) @module) @import

(using_directive [(identifier) (qualified_name)] @module .) @import
