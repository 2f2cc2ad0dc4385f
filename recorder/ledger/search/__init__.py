"""Search: the words of calls, indexed when somebody first searches."""
