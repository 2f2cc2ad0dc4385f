"""What the dashboards' README says of each panel: the question that it answers.

The pictures beside it are drawn by `python -m tests.pictures`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .panel import Dashboard

BEGIN = "<!-- panels: written by `make dashboards` -->\n"
END = "<!-- end of panels -->\n"


def contents(dashboards: Sequence[Dashboard]) -> str:
    """Each dashboard, with a table of its panels."""
    return "\n".join(_section(dashboard) for dashboard in dashboards)


def with_contents(text: str, dashboards: Sequence[Dashboard]) -> str:
    """The README with the part between its marks written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{contents(dashboards)}\n{END}{after}"


def _section(dashboard: Dashboard) -> str:
    rows = (f"| {panel.title} | {panel.question} |" for panel in dashboard.panels)
    asked = ", ".join(f"[{target}](grafana/{target}/{dashboard.name}.json)" for target in dashboard.targets)
    picture = f"![{dashboard.title}](pictures/{dashboard.name}.svg)"
    head = f"### {dashboard.title}\n\n{dashboard.about} Files: {asked}.\n\n{picture}\n\n"
    return head + "\n".join(("| panel | what it answers |", "|---|---|", *rows)) + "\n"
