; Two levels: deeper ones are data more than structure.
(document (object (pair key: (string (string_content) @name)) @definition.key))

(document
  (object (pair value: (object (pair key: (string (string_content) @name)) @definition.key))))
