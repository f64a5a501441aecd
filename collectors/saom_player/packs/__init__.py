"""Scene packs, rooms with real meshes, as scenes."""
