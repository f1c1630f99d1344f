"""A simulated outside world: banks, providers and an EVM node that behave like the real ones."""
