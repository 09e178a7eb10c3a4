(import_spec path: (_ [(interpreted_string_literal_content) (raw_string_literal_content)] @module)) @import
