"""The life of an offer: terms, cancellation, deadlines, failure, changes, notices."""
