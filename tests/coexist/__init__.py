"""Suites that run beside other people's pytest plugins, each in an environment of its own."""
