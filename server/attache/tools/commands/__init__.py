"""Commands: in the foreground, in the background, and those that only read."""
