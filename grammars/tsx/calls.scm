; A component; a tag in small letters is HTML's own.
([(jsx_opening_element name: [(identifier) @reference.call (member_expression property: (_) @reference.call)])
  (jsx_self_closing_element name: [(identifier) @reference.call (member_expression property: (_) @reference.call)])]
  (#fits? @reference.call "^[A-Z]"))
