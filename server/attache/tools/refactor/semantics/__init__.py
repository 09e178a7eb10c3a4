"""What the names in a program mean: scopes, imports and classes, read from the text as the user sees it."""
