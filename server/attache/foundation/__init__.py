"""Small tools that everything may use."""
