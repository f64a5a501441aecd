"""Meshes and how to make them: what builders of objects and rooms put together."""
