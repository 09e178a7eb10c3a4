"""Models, from a row of the catalogue to a complete answer."""
