; A custom element is used by its tag.
([(start_tag (tag_name) @reference.call)
  (self_closing_tag (tag_name) @reference.call)]
  (#fits? @reference.call "-"))
