"""What happened: kept in a database, written without the event loop, asked through the API."""
