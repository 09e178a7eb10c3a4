"""Edits as models write them, in several formats: each is read into steps, and one piece of code carries them out."""
