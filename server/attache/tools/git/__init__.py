"""Git: what changed and why, and acts that ask."""
