((call_expression
   (function_name) @_var
   (arguments . (plain_value) @reference.use))
  (#eq? @_var "var"))

((declaration
   (property_name) @_animation
   (plain_value) @reference.use)
  (#any-of? @_animation "animation" "animation-name"))
