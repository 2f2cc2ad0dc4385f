"""A dashboard as values: its panels, what each asks, and how the answer is drawn."""

from __future__ import annotations

from typing import Final, Literal, get_args

from msgspec import Struct

Target = Literal["postgres", "sqlite", "prometheus"]
"""What a dashboard asks."""

TARGETS: Final[tuple[Target, ...]] = get_args(Target)

Shape = Literal["stat", "lines", "bars", "table"]


OUTCOMES: Final = (
    ("ok", "green"),
    ("error", "red"),
    ("incomplete", "orange"),
    ("cancelled", "blue"),
    ("interrupted", "purple"),
)
"""The colours of outcomes: nobody should look for errors among greens."""


class Query(Struct, frozen=True):
    """One question in the language of each target that can answer it; `legend` names series, Prometheus' alone."""

    postgres: str | None = None
    sqlite: str | None = None
    prometheus: str | None = None
    legend: str = ""

    def text(self, target: Target) -> str | None:
        """How a target is asked; None where it cannot answer."""
        texts: dict[Target, str | None] = {
            "postgres": self.postgres,
            "sqlite": self.sqlite,
            "prometheus": self.prometheus,
        }
        return texts[target]


class Panel(Struct, frozen=True):
    """One picture. `question` is what it answers, in the reader's words; `unit` is one of Grafana's.

    `units` are those of a table's columns, `colours` those of series with a name, `width` is in 24ths of the page. Bars
    are stacked.
    """

    title: str
    question: str
    shape: Shape
    queries: tuple[Query, ...]
    unit: str = "short"
    units: tuple[tuple[str, str], ...] = ()
    colours: tuple[tuple[str, str], ...] = ()
    width: int = 12
    height: int = 8

    def asks(self, target: Target) -> tuple[tuple[str, str], ...]:
        """The queries for a target, each with its legend."""
        found = ((query.text(target), query.legend) for query in self.queries)
        return tuple((text, legend) for text, legend in found if text is not None)


class Variable(Struct, frozen=True):
    """What the viewer chooses: one value, or (`several`) any of those that there are, and at first all."""

    name: str
    label: str
    query: Query
    several: bool = True


class Dashboard(Struct, frozen=True):
    """One page of panels, left to right and down."""

    name: str
    title: str
    about: str
    targets: tuple[Target, ...]
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-24h"
