"""The history: a database that is written outside the event loop and read through the API."""
