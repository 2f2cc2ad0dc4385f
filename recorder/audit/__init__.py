"""Questions to the ledger, answered as values; read-only."""

from __future__ import annotations

from .report import Percentiles, ReportRow, report

__all__ = ["Percentiles", "ReportRow", "report"]
