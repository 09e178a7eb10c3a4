"""Language servers of our own: children on the same texts that the user sees, asked for what only they know."""
