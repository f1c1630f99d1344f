"""What goes to banks and payment providers, and what they tell: orders, notices, alarms."""
