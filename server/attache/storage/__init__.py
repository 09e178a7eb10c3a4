"""What survives the process: the session log and the tables beside it."""
