"""Scene packs: one file a scene with its meshes, textures, instances, parts and lights."""
