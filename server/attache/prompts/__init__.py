"""The texts that models are given, as Markdown files."""
