"""The wire: messages and their shapes, over pipes and sockets, alone or with another server beside us."""
