"""Topics between sites, over zenoh: the record on disk, the line, who sends and who receives."""
