"""Access: accounts, passwords, tokens, sessions, limits, and the audit."""
