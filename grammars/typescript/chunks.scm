; A test, a route, a listener: a call at the top level that is given a function.
(program
  (expression_statement
    (call_expression arguments: (arguments [(arrow_function) (function_expression)]))) @chunk)
