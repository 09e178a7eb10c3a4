"""Refactorings that keep the meaning, and the semantics they stand on."""
