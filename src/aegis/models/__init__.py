"""The class models on disk: those that ship, those that `aegis train` wrote, and a user's own."""
