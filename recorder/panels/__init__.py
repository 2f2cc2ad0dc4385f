"""The dashboards' one typed source, and the metrics of the store that some of them show."""

from __future__ import annotations

from .files import DASHBOARDS, files_for, folder, made_files
from .panel import TARGETS, Dashboard, Panel, Query, Target, Variable

__all__ = [
    "DASHBOARDS",
    "TARGETS",
    "Dashboard",
    "Panel",
    "Query",
    "Target",
    "Variable",
    "files_for",
    "folder",
    "made_files",
]
