"""The ledger: what each call of a model used and cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "bills",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("cwd", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("cache_write_tokens", sa.Integer, nullable=False),
        sa.Column("reasoning_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
    )
    op.create_index("bills_by_time", "bills", ["at"])
    op.create_index("bills_by_session", "bills", ["session_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("bills")
