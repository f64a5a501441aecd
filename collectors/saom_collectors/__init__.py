"""Collectors: drive the ai2thor client, decode frames, write shards."""
