"""Pages and requests, host by host."""
