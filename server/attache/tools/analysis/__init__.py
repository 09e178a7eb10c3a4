"""Look at code: its shape, its callers, its weak spots."""
