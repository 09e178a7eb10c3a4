((attribute (attribute_name) @_link (quoted_attribute_value (attribute_value) @module)) @import
  (#any-of? @_link "src" "href")
  (#not-match? @module "^#"))
