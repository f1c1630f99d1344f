"""Every state machine as rows: ``states.sql`` holds their states, the files beside it the moves."""
