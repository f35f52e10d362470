"""The audit log cannot be rewritten, not even by a bug: PostgreSQL refuses."""

import django.core.serializers.json
from django.db import migrations, models

FORWARDS = """
    create function accounts_audit_is_final() returns trigger language plpgsql as $$
    begin
        raise exception 'the audit log is append-only: % refused', lower(tg_op) using errcode = 'restrict_violation';
    end $$;
    create trigger audit_rows_final before update or delete on accounts_auditevent
        for each row execute function accounts_audit_is_final();
    create trigger audit_table_final before truncate on accounts_auditevent
        for each statement execute function accounts_audit_is_final();
"""
BACKWARDS = """
    drop trigger audit_table_final on accounts_auditevent;
    drop trigger audit_rows_final on accounts_auditevent;
    drop function accounts_audit_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_accounts")]

    operations = [
        migrations.RemoveIndex(model_name="auditevent", name="audit_by_org"),
        migrations.AlterField("auditevent", "organization_id", models.UUIDField(blank=True, null=True)),
        migrations.AlterField(
            "auditevent",
            "before",
            models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
        ),
        migrations.AlterField(
            "auditevent",
            "after",
            models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
        ),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["organization_id", "-id"], name="audit_of_org")
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
