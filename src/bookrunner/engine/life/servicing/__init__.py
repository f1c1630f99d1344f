"""What an offer owes its holders after the raise."""
