"""Tables, databases and charts."""
