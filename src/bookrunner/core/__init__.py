"""Money, ids, clock and errors: no I/O, nothing of ours above it."""
