"""Commands of what debt owes: coupons and principal."""
