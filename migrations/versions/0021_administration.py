"""Sessions, second factors, long work, the chain over events, photographs of visits.

Revision 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# What is on record is only ever added to, whoever is connected to the database.
GUARDED = ("events", "audit_links")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.DateTime(timezone=True)
    with op.batch_alter_table("users") as batch:
        batch.add_column(
            sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("totp_secret", sa.String(400), nullable=False, server_default=""))
        batch.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("recovery_hashes", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "user_sessions",
        sa.Column("id", number, nullable=False),
        sa.Column("user_ref", number, nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["user_ref"], ["users.id"], name=op.f("fk_user_sessions_user_ref_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_user_sessions_secret_sha256")),
    )
    op.create_index(op.f("ix_user_sessions_user_ref"), "user_sessions", ["user_ref"])
    op.create_table(
        "jobs",
        sa.Column("id", number, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(60), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=False),
        sa.Column("began_at", instant, nullable=True),
        sa.Column("lease_until", instant, nullable=True),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"])
    op.create_table(
        "job_parts",
        sa.Column("job_ref", number, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_ref"], ["jobs.id"], name=op.f("fk_job_parts_job_ref_jobs")),
        sa.PrimaryKeyConstraint("job_ref", "place", name=op.f("pk_job_parts")),
    )
    op.create_table(
        "audit_links",
        sa.Column("sequence", number, autoincrement=False, nullable=False),
        sa.Column("event_ref", number, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("previous_sha256", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["event_ref"], ["events.id"], name=op.f("fk_audit_links_event_ref_events")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("event_ref", name=op.f("uq_audit_links_event_ref")),
        sa.UniqueConstraint("previous_sha256", name=op.f("uq_audit_links_previous_sha256")),
    )
    op.create_table(
        "answer_photos",
        sa.Column("sequence", number, autoincrement=False, nullable=False),
        sa.Column("mimetype", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["signed_receipts.sequence"], name=op.f("fk_answer_photos_sequence_signed_receipts")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_answer_photos")),
    )
    _guard()


def downgrade() -> None:
    _unguard()
    op.drop_table("answer_photos")
    op.drop_table("audit_links")
    op.drop_table("job_parts")
    op.drop_index(op.f("ix_jobs_state"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(op.f("ix_user_sessions_user_ref"), table_name="user_sessions")
    op.drop_table("user_sessions")
    with op.batch_alter_table("users") as batch:
        for name in ("recovery_hashes", "totp_step", "totp_secret", "must_change_password"):
            batch.drop_column(name)


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$"
        )
        for table in GUARDED:
            op.execute(
                f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION only_added()"
            )
        return
    for table in GUARDED:
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
            )


def _unguard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in GUARDED:
            op.execute(f"DROP TRIGGER only_added ON {table}")
        op.execute("DROP FUNCTION only_added()")
        return
    for table in GUARDED:
        for deed in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{deed}")
