"""first tables."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreement_versions",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("effective_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("until", storage.database.UtcDateTime(), nullable=True),
        sa.Column("published_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("deployed_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("deployment_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "api_keys",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", storage.database.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "clock_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("real_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("ahead_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("clock_readings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clock_readings_real_at"), ["real_at"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("handoff_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_seal_id"), ["seal_id"], unique=False)

    op.create_table(
        "leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_key", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("job_title", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("entry_channel", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("requested_time", storage.database.UtcDateTime(), nullable=True),
        sa.Column("do_not_contact", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("last_touch_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("created_at", storage.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["leads.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leads_company"), ["company"], unique=False)
        batch_op.create_index(batch_op.f("ix_leads_mail_key"), ["mail_key"], unique=False)

    op.create_table(
        "personal_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("personal_texts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_personal_texts_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "rosters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("loaded_at", storage.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "seals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sealed_at", storage.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "signatures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("signed_at", storage.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash", "party"),
    )
    with op.batch_alter_table("signatures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signatures_hash"), ["hash"], unique=False)

    op.create_table(
        "suppressions",
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", storage.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("value"),
    )
    op.create_table(
        "activities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        sa.Column("received_at", storage.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["leads.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lead_id", "key"),
    )
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activities_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_activities_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("rep", sa.String(), nullable=False),
        sa.Column("wanted_rep", sa.String(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_by", sa.String(), nullable=False),
        sa.Column("lease_until", storage.database.UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("fit", sa.Integer(), nullable=False),
        sa.Column("engagement", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("fast_lane", sa.Boolean(), nullable=False),
        sa.Column("climbed", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("revisits", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("created_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("mql_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("first_assigned_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("ended_at", storage.database.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["leads.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handoffs_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_handoffs_flow_run_id"), ["flow_run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_handoffs_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_handoffs_stage"), ["stage"], unique=False)

    op.create_table(
        "lead_sources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["leads.id"],
        ),
        sa.PrimaryKeyConstraint("source", "source_id"),
    )
    with op.batch_alter_table("lead_sources", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_sources_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "assignments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rep", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("assigned_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("proven_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("ended_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_assigned_at"), ["assigned_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_assignments_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assignments_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assignments_rep"), ["rep"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.String(), nullable=False),
        sa.Column("answer_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("send_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("sent_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_assignment_id"), ["assignment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_send_at"), ["send_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_state"), ["state"], unique=False)

    op.create_table(
        "handoff_notes",
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("written_at", storage.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("handoff_id"),
    )
    op.create_table(
        "touches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", storage.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("touches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_touches_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_touches_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "waits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("opened_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("due_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("promised_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("next_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("nudges", sa.JSON(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("parks", sa.Integer(), nullable=False),
        sa.Column("parked_key", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("answer_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("closed_because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("waits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waits_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(
            "one_open_wait",
            ["handoff_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "waits_to_look_at",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL AND answer_id IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND answer_id IS NULL"),
        )

    op.create_table(
        "wakes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("not_before", storage.database.UtcDateTime(), nullable=False),
        sa.Column("created_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("delivered_at", storage.database.UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handoff_id"],
            ["handoffs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("wakes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wakes_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wakes_not_before"), ["not_before"], unique=False)

    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wait_id", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("effective_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wait_id"],
            ["waits.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answers_handoff_id"), ["handoff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answers_wait_id"), ["wait_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answers_wait_id"))
        batch_op.drop_index(batch_op.f("ix_answers_handoff_id"))

    op.drop_table("answers")
    with op.batch_alter_table("wakes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wakes_not_before"))
        batch_op.drop_index(batch_op.f("ix_wakes_handoff_id"))

    op.drop_table("wakes")
    with op.batch_alter_table("waits", schema=None) as batch_op:
        batch_op.drop_index(
            "waits_to_look_at",
            sqlite_where=sa.text("closed_at IS NULL AND answer_id IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND answer_id IS NULL"),
        )
        batch_op.drop_index("one_open_wait", sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))
        batch_op.drop_index(batch_op.f("ix_waits_handoff_id"))

    op.drop_table("waits")
    with op.batch_alter_table("touches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_touches_lead_id"))
        batch_op.drop_index(batch_op.f("ix_touches_handoff_id"))

    op.drop_table("touches")
    op.drop_table("handoff_notes")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_state"))
        batch_op.drop_index(batch_op.f("ix_deliveries_send_at"))
        batch_op.drop_index(batch_op.f("ix_deliveries_handoff_id"))
        batch_op.drop_index(batch_op.f("ix_deliveries_assignment_id"))

    op.drop_table("deliveries")
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignments_rep"))
        batch_op.drop_index(batch_op.f("ix_assignments_lead_id"))
        batch_op.drop_index(batch_op.f("ix_assignments_handoff_id"))
        batch_op.drop_index(batch_op.f("ix_assignments_assigned_at"))

    op.drop_table("assignments")
    with op.batch_alter_table("lead_sources", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_sources_lead_id"))

    op.drop_table("lead_sources")
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handoffs_stage"))
        batch_op.drop_index(batch_op.f("ix_handoffs_lead_id"))
        batch_op.drop_index(batch_op.f("ix_handoffs_flow_run_id"))
        batch_op.drop_index(batch_op.f("ix_handoffs_created_at"))

    op.drop_table("handoffs")
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activities_lead_id"))
        batch_op.drop_index(batch_op.f("ix_activities_at"))

    op.drop_table("activities")
    op.drop_table("suppressions")
    with op.batch_alter_table("signatures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signatures_hash"))

    op.drop_table("signatures")
    op.drop_table("seals")
    op.drop_table("rosters")
    with op.batch_alter_table("personal_texts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_personal_texts_lead_id"))

    op.drop_table("personal_texts")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leads_mail_key"))
        batch_op.drop_index(batch_op.f("ix_leads_company"))

    op.drop_table("leads")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_seal_id"))
        batch_op.drop_index(batch_op.f("ix_events_lead_id"))
        batch_op.drop_index(batch_op.f("ix_events_kind"))
        batch_op.drop_index(batch_op.f("ix_events_handoff_id"))
        batch_op.drop_index(batch_op.f("ix_events_at"))

    op.drop_table("events")
    with op.batch_alter_table("clock_readings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clock_readings_real_at"))

    op.drop_table("clock_readings")
    op.drop_table("bookmarks")
    op.drop_table("api_keys")
    op.drop_table("agreement_versions")
