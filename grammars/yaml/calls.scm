(alias (alias_name) @reference.use)
