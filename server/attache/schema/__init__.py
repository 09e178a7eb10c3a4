"""The data that every layer speaks: frozen, without I/O, resting on nothing but pydantic."""
