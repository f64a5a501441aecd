"""Where things can be and go: the agent's ways, what is in the way, what rests on what."""
