"""The local page: calls, money and seconds in a browser, read-only."""
