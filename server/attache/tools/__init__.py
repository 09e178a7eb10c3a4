"""What an agent can do, one typed function each."""
