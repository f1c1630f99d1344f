"""Money, ids, clock, errors and identity: no I/O, nothing of ours above it."""
