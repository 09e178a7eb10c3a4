((call_expression
   (function_name) @_var
   (arguments . (plain_value) @reference.use))
  (#says? @_var "var"))

((declaration
   (property_name) @_animation
   (plain_value) @reference.use)
  (#says? @_animation "animation" "animation-name"))
