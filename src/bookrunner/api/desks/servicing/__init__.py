"""What follows the close of an offer: what it pays, and what it files."""
