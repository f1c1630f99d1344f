"""What follows the close of an offer."""
