"""Cassettes kept in YAML files that people read and git merges."""

from .source import FileCassette

__all__ = ["FileCassette"]
