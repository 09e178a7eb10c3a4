(stylesheet (at_rule) @chunk)
