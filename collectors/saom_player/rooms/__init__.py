"""The real rooms of iTHOR and RoboTHOR by name, laid out from their object metadata."""
