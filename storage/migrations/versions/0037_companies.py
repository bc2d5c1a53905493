"""Each lead names the company of its address, so that colleagues find the same rep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agreements.company import company_key

revision = "0037"
down_revision = "0038"
branch_labels = None
depends_on = None

_leads = sa.table("leads", sa.column("id", sa.Integer), sa.column("email", sa.String), sa.column("company_key", sa.String))
#: Leads that are read at once.
_SOME = 5000


def upgrade() -> None:
    """Adds the column, fills it from the addresses, and adds its index."""
    op.add_column("leads", sa.Column("company_key", sa.String(), nullable=False, server_default=""))
    _fill()
    with_company = sa.text("company_key <> ''")
    op.create_index("leads_of_company", "leads", ["company_key", "id"], sqlite_where=with_company, postgresql_where=with_company)


def _fill() -> None:
    connection, after = op.get_bind(), 0
    change = _leads.update().where(_leads.c.id == sa.bindparam("lead")).values(company_key=sa.bindparam("company"))
    while True:
        query = sa.select(_leads.c.id, _leads.c.email).where(_leads.c.id > after).order_by(_leads.c.id).limit(_SOME)
        rows = connection.execute(query).all()
        if not rows:
            return
        after = rows[-1].id
        if found := [{"lead": row.id, "company": key} for row in rows if (key := company_key(row.email))]:
            connection.execute(change, found)


def downgrade() -> None:
    """Takes them back."""
    op.drop_index("leads_of_company", table_name="leads")
    op.drop_column("leads", "company_key")
