"""On top of all stages: the table of nodes, their parameters, and the ways to run them."""
