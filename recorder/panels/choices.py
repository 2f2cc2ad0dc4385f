"""What the viewer of a SQL dashboard chooses: provider, model, user, and the currency of money."""

from __future__ import annotations

from typing import Final

from .panel import Variable
from .sql import sql

CHOICES: Final = (
    Variable(
        "provider",
        "Provider",
        sql("SELECT DISTINCT provider FROM v_calls WHERE @range ORDER BY 1"),
    ),
    Variable(
        "model",
        "Model",
        sql("SELECT DISTINCT @model AS model FROM v_calls WHERE @range AND @model IS NOT NULL ORDER BY 1"),
    ),
    Variable(
        "user",
        "User",
        sql(
            "SELECT DISTINCT user_id FROM v_calls WHERE @range AND user_id IS NOT NULL ORDER BY 1 LIMIT 1000"
        ),
    ),
)

CURRENCY: Final = Variable(
    "currency",
    "Currency",
    sql(
        "SELECT currency FROM v_calls WHERE @range AND currency IS NOT NULL "
        "GROUP BY currency ORDER BY count(*) DESC"
    ),
    several=False,
)
