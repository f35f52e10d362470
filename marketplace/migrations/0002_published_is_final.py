"""A published plan version, its prices and its limits never change: the database refuses it, whoever asks.

All that may follow publication is `state` (retired), and `rev`, which says that something is to be told again.
"""

from django.db import migrations

VERSION = """
create function plan_version_is_final() returns trigger language plpgsql as $$
begin
    if old.state = 'draft' then
        return coalesce(new, old);
    end if;
    if tg_op = 'UPDATE' and new.state <> 'draft'
        and to_jsonb(new) - 'state' - 'rev' = to_jsonb(old) - 'state' - 'rev' then
        return new;
    end if;
    raise exception 'plan version % is published and cannot change', old.id using errcode = 'check_violation';
end $$;
create trigger plan_version_is_final before update or delete on marketplace_planversion
    for each row execute function plan_version_is_final();
"""

# The version's row is locked, so that no price slips in beside a publication under way.
PART = """
create function plan_part_is_final() returns trigger language plpgsql as $$
declare
    owner uuid;
    owner_state text;
begin
    foreach owner in array case tg_op
        when 'INSERT' then array[new.plan_version_id]
        when 'DELETE' then array[old.plan_version_id]
        else array[old.plan_version_id, new.plan_version_id] end
    loop
        select state into owner_state from marketplace_planversion where id = owner for share;
        if owner_state <> 'draft' then
            raise exception 'plan version % is published: its % cannot change', owner, tg_table_name
                using errcode = 'check_violation';
        end if;
    end loop;
    return coalesce(new, old);
end $$;
create trigger price_is_final before insert or update or delete on marketplace_price
    for each row execute function plan_part_is_final();
create trigger limit_is_final before insert or update or delete on marketplace_limit
    for each row execute function plan_part_is_final();
"""

DROP = """
drop trigger limit_is_final on marketplace_limit;
drop trigger price_is_final on marketplace_price;
drop trigger plan_version_is_final on marketplace_planversion;
drop function plan_part_is_final();
drop function plan_version_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_marketplace")]

    operations = [migrations.RunSQL(VERSION + PART, DROP)]
