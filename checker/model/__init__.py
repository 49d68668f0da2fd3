"""The model: a closed, typed, finite machine, made from a spec and the constants of one check."""
