"""Which class an object is of, from what the radar measures of it."""
