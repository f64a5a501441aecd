"""SAM by name: weights, encoders, and the decoder with its class head. Import submodules; this loads nothing."""
