((attribute (attribute_name) @_link (quoted_attribute_value (attribute_value) @module)) @import
  (#says? @_link "src" "href")
  (#fits? @module "^[^#]"))
