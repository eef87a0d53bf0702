"""How right a picture is, held against truth: pure functions on arrays. `evaluate` puts them together."""
