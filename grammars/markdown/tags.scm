(section . (atx_heading heading_content: (_) @name)) @definition.section

; Underlined headings open no section in this grammar.
(setext_heading heading_content: (_) @name) @definition.section
