"""A turning radar's video to plots."""
