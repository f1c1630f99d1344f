"""What follows an investor's holdings: payments and votes."""
