"""What the REST bodies look like, for checking requests and for the OpenAPI page."""
