"""The journal: calls on disk before they are in the store, so that a killed process loses none."""

from __future__ import annotations

from .choice import chosen_intake
from .place import journal_directory

__all__ = ["chosen_intake", "journal_directory"]
