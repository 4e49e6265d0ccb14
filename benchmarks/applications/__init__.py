"""One API written once for each peer: GET /hello, GET /items/{item_id}, POST /items, and any number of routes."""
