"""The agent: sessions, the loop, and the pipeline that every tool call passes."""
