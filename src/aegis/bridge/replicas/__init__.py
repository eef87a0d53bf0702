"""Several bridges of one graph: what they share through PostgreSQL and Redis, so that any client can meet any of them."""
