"""What is where in the code: symbols, references and search, kept by a process of its own."""
