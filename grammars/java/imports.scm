(import_declaration (scoped_identifier scope: (_) @module name: (identifier) @name) .) @import

(import_declaration (scoped_identifier) @module (asterisk)) @import
