"""Where people and programs meet the agent; each face knows the core and no other face."""
