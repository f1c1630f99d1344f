"""Corporate actions: buy-backs, splits, conversions, votes."""
