[(script_element) (style_element)] @chunk
