"""Who may do what: accounts, passwords, tokens, sessions, limits, and the record of all of it."""
