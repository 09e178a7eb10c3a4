; Tables: arrays and structs with their values.
(translation_unit (declaration declarator: (init_declarator value: (initializer_list))) @chunk)
