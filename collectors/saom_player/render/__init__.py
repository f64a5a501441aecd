"""Renderer: rays against a scene, colours, exact ids and depth."""
