"""What the pytest plugin decides: modes, file names, orphans, and the report."""
