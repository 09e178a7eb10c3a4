"""What the project stands on: its packages and their documents."""
