"""The world a tool may touch: files as the user sees them, and commands that run among them."""
