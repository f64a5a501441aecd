"""The fine-tuning engine: recipes, embedding cache, losses, loop. Import submodules; this loads nothing."""
