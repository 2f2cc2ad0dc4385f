"""Backends that take spans, tried for real: opt-in, since each brings half a gigabyte along."""
