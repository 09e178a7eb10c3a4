"""Files: read, write, edit, move, delete, notebooks."""
