"""`aegis soak`: the whole graph for hours, with clients that come and go and faults, and what that has shown."""
