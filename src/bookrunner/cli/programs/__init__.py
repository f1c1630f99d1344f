"""What programs need that call the API: keys, calls from a terminal, tools for agents."""
