"""Every state machine as rows: ``machines.sql`` holds the states, ``transitions.sql`` the moves."""
