"""Panoramas as arrays: lenses, stitching views onto a surface, blending, and cutting views out again."""
