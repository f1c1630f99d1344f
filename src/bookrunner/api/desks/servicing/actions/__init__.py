"""Corporate actions: buy-backs, splits, conversions, reinvestment, votes."""
