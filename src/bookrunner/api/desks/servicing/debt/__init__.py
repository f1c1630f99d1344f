"""Debt: terms and fixings of coupons, principal that is paid back, and the distributions that pay both."""
