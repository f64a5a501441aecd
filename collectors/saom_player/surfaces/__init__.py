"""What surfaces look like: materials, textures and their variants."""
