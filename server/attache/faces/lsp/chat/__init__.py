"""Chat and plan documents: their text, what is asked and answered in them, and what editors show of it."""
