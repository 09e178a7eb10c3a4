(rule_set (selectors (_) @name)) @definition.rule

(media_statement . (_) @name) @definition.rule

(keyframes_statement (keyframes_name) @name) @definition.rule

((declaration (property_name) @name) @definition.variable
  (#fits? @name "^--"))
