"""The five books. They do not know each other."""
