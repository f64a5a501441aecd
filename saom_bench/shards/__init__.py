"""The dataset format: HDF5 shards of frames with their objects, sealed by rename, beside a manifest.

A dataset is a folder: ``manifest.jsonl`` and one shard (``FloorPlan1.h5``) for each scene. Start at ``open_dataset``.
"""
