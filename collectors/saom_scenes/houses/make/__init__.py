"""New houses by ProcTHOR's published recipe: a floor plan, doors and windows, furniture, and what lies on it."""
