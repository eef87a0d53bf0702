"""The picture for Foxglove and Lichtblick, by either of two servers."""
