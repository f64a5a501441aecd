"""The shard format: HDF5 files of images, label maps and instances, sealed by rename."""
