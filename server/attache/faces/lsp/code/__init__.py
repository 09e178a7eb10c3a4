"""What stands in the user's own files: lenses, actions, hunks to review, findings, ghost text, hover."""
