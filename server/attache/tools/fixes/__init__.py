"""Cures for diagnostics: rules by language, imports, and the tool that applies them."""
