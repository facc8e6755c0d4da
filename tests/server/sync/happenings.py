"""What happens in a schedule: on the phones, among the colleagues, to the server. Each is one rule of the fuzz."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from mobile.field import capture
from mobile.field import conflicts as questions
from server.accounts import service as accounts
from server.accounts.duplicates import merging
from server.auth.access import scope_of, system_scope
from server.auth.models import User
from server.kit import clock
from server.kit.database import transaction
from server.records.editing import CUSTOM
from server.sync.pulling import buckets, epochs
from server.sync.pushing import conflicts
from server.sync.schemas import Decision
from tests.server.sync.company import AREAS, FIELDS, OWN, PLACE, REPS, Company, spelled
from tests.server.sync.field_phone import FieldPhone, Killed

SELDOM = 0.3
TEN_YEARS = timedelta(days=3653)


class OnThePhones(Company):
    """What reps and their phones do and suffer."""

    def a_rep_edits(self) -> None:
        """Once, or the same field several times, also back to what it was; not always as the server spells it."""
        phone = self.phone()
        if held := phone.shown("account"):
            row_id, name = self.rng.choice(held), self.rng.choice(sorted(FIELDS))
            before = phone.store.cache.shown("account", row_id)[1][name]
            for _ in range(self.rng.choice((1, 1, 2, 3))):
                written = FIELDS[name](self.rng.randint(0, 9999))
                phone.edit("account", row_id, **{name: self.rng.choice((written, written, written, before))})

    def a_rep_corrects_an_address(self) -> None:
        phone = self.phone()
        if held := phone.shown("site"):
            names = self.rng.sample(PLACE, self.rng.randint(1, 3))
            phone.edit("site", self.rng.choice(held), **{name: f"p{self.rng.randint(0, 99)}" for name in names})

    def a_rep_fills_in_own_fields(self) -> None:
        """One or several, at an account or at its site; now and then with what the server does not take."""
        phone, e = self.phone(), self.rng.choice(("account", "account", "site"))
        if held := phone.shown(e):
            keys = self.rng.sample(sorted(OWN), self.rng.randint(1, 2))
            values = {f"custom.{key}": OWN[key](self.rng) for key in keys}
            if self.rng.random() < 0.1:
                values["custom.beds"] = "many"
            row_id = self.rng.choice(held)
            phone.edit(e, row_id, **values)
            if self.rng.random() < 0.3:
                phone.edit(e, row_id, **{name: OWN[name.removeprefix("custom.")](self.rng) for name in values})

    def a_rep_edits_a_person(self) -> None:
        """Their function, what the company asks of them, or both."""
        phone = self.phone()
        if held := phone.shown("contact"):
            values = {"title": f"f{self.rng.randint(0, 9999)}", "custom.chain": OWN["chain"](self.rng)}
            names = self.rng.sample(sorted(values), self.rng.randint(1, 2))
            phone.edit("contact", self.rng.choice(held), **{name: values[name] for name in names})

    def a_rep_answers_a_question(self) -> None:
        """With their own value or the office's, whatever became of it meanwhile."""
        phone = self.phone()
        if asked := [one for one in questions.questions(phone.store) if one.decided is None]:
            questions.answer(phone.store, self.rng.choice(asked), mine=self.rng.random() < 0.5)

    def a_rep_says_how_often(self) -> None:
        phone = self.phone()
        if held := phone.shown("account"):
            days, status = self.rng.choice((None, 7, 14)), self.rng.choice(("prospect", "customer", "former"))
            phone.edit("account", self.rng.choice(held), interval_days=days, status=status)

    def a_rep_changes_tags(self) -> None:
        phone = self.phone()
        if held := phone.shown("account"):
            change = {self.rng.choice(("add", "remove")): [f"t{self.rng.randint(0, 3)}"]}
            capture.change_tags(phone.store, self.rng.choice(held), **change)

    def a_rep_visits(self) -> None:
        phone = self.phone()
        visits, held = phone.shown("visit"), phone.shown("account")
        if held:
            visit = self.rng.choice(visits) if visits and self.rng.random() < 0.6 else None
            state = self.rng.choice(("en_route", "checked_in", "done", "missed"))
            phone.event(self.rng.choice(held), state, visit, f"n{self.rng.randint(0, 9999)}")

    def a_rep_takes_a_photo(self) -> None:
        phone = self.phone()
        visits, held = phone.shown("visit"), phone.shown("account")
        if held:
            phone.photo(self.rng.choice(held), self.rng.choice(visits) if visits else None)

    def pieces_of_photos_are_damaged(self) -> None:
        phone = self.phone()
        if held := phone.shown("account"):
            phone.photo(self.rng.choice(held))
        phone.network.damage = 0.4
        self.synced(phone)
        phone.network.damage = 0.0

    def a_rep_drives(self) -> None:
        """Some of the last hours, told by any phone of the rep, in any order."""
        phone, ago = self.phone(), self.rng.randint(0, 300)
        kind = self.rng.choice(("way", "way", "way", "pause", "resume"))
        times = [clock.now() - timedelta(minutes=ago - n * 7) for n in range(min(ago // 7 + 1, self.rng.randint(1, 5)))]
        fixes = [
            {"at": at.isoformat(), "lon": 9.5 + n / 100, "lat": 47.1, "accuracy_m": 8.0} for n, at in enumerate(times)
        ]
        d = {"kind": kind, "at": times[0].isoformat(), "fixes": fixes if kind == "way" else []}
        phone.store.save(capture.op_of("create", "track", str(uuid4()), d=d))

    def a_rep_deletes(self) -> None:
        phone = self.phone()
        if held := sorted(phone.held("account")):
            account = self.rng.choice(held)
            rev, _ = phone.store.cache.base("account", account)
            phone.store.save(capture.op_of("delete", "account", account, base_rev=rev))

    def a_rep_sends_poison(self) -> None:
        phone = self.phone()
        if self.rng.random() < 0.5:
            phone.event(str(UUID(int=self.rng.getrandbits(128))), "done")
        elif held := phone.shown("account"):
            phone.edit("account", self.rng.choice(held), email="no address at all")

    def a_phone_syncs(self) -> None:
        phone = self.phone()
        phone.page_rows = self.rng.choice((1, 3, 50, 50, 50))
        self.synced(phone)

    def a_phone_syncs_over_a_bad_network(self) -> None:
        phone = self.phone()
        phone.network.loss, phone.network.kills = self.rng.choice(((0.3, 0.0), (0.5, 0.1), (0.0, 0.3)))
        self.synced(phone)
        phone.network.loss = phone.network.kills = 0.0

    def the_network_goes_between_two_pages(self) -> None:
        phone = self.phone()
        phone.page_rows, phone.network.pulls_left = 3, self.rng.randint(0, 3)
        self.synced(phone)
        phone.network.pulls_left = None

    def an_app_is_killed_in_a_sync(self) -> None:
        phone = self.phone()
        phone.dies_after(self.rng.randint(1, 120))
        self.synced(phone)
        phone.restart()

    def an_app_is_killed_while_it_saves(self) -> None:
        phone = self.phone()
        held = phone.shown("account")
        phone.dies_after(self.rng.randint(2, 25))
        try:
            for account in held[:2]:
                phone.event(account, "done", None, "saved at the last moment")
                phone.photo(account)
        except Killed:
            pass
        phone.restart()

    def a_cache_is_lost(self) -> None:
        self.phone().store.rebuild_cache()

    def bytes_of_a_cache_rot(self) -> None:
        phone = self.phone()
        phone.store.close()
        path = phone.store.folder / "cache.db"
        content = bytearray(path.read_bytes())
        page = self.rng.randrange(len(content) // 4096) * 4096
        content[page : page + 64] = b"\xff" * 64
        path.write_bytes(content)
        phone.store = phone.home.store(phone.user_id)

    def a_phone_is_cloned(self) -> None:
        login = self.rng.choice(REPS)
        if len(self.phones) == len(REPS):
            self.phones[f"{login}'s other"] = self.phones[login].cloned(self.folder / "clone")

    def a_clock_jumps(self) -> None:
        self.phone().skew = self.rng.choice((-TEN_YEARS, timedelta(), TEN_YEARS, timedelta(minutes=7)))

    def a_token_expires(self) -> None:
        statement = "update device_token set access_expires_at = now() - interval '1 minute' where device_id = :id"
        self.world.sql(statement, id=self.phone().device_id)

    def a_phone_is_locked_or_unlocked(self) -> None:
        statement = "update device set state = case state when 'locked' then 'active' else 'locked' end where id = :id"
        self.world.sql(statement, id=self.phone().device_id)

    def an_app_of_another_age_is_installed(self) -> None:
        phone = self.phone()
        phone.schema = self.rng.choice((0, 1, 2, 3, 4, 5))
        phone.restart()

    def late_copies_arrive(self) -> None:
        self.phone().network.deliver_late()

    def synced(self, phone: FieldPhone) -> None:
        """One sync, whatever comes of it; the schedule looks at it."""
        raise NotImplementedError


class InTheOffice(Company):
    """What colleagues do, on the pages and by hand."""

    def somebody_edits(self) -> None:
        name, value = self.rng.choice(sorted(FIELDS)), f"w{self.rng.randint(0, 9999)}"
        self.by_hand(f"update account set {name} = :value where id = :id", value=value, id=self.an_account())

    def somebody_corrects_an_address(self) -> None:
        name, value = self.rng.choice(PLACE), f"w{self.rng.randint(0, 99)}"
        statement = f"update site set {name} = :value where account_id = :id"
        self.by_hand(statement, value=value, id=self.an_account())

    def somebody_fills_in_an_own_field(self) -> None:
        key, table = self.rng.choice(sorted(OWN)), self.rng.choice(("account", "site"))
        value, whose = OWN[key](self.rng), "id" if table == "account" else "account_id"
        self.by_hand(
            f"update {table} set custom = jsonb_strip_nulls(custom || cast(:own as jsonb)) where {whose} = :id",
            own=json.dumps({key: spelled(CUSTOM + key, value)}),
            id=self.an_account(),
        )

    def somebody_edits_a_person(self) -> None:
        person, value = self.rng.choice(self.people), f"w{self.rng.randint(0, 9999)}"
        column = self.rng.choice(("title = :value", "custom = jsonb_build_object('chain', cast(:value as text))"))
        self.by_hand(f"update contact set {column} where id = :id", value=value, id=person)

    def somebody_deletes_a_person_or_brings_back(self) -> None:
        self.by_hand(
            "update contact set deleted_at = case when deleted_at is null then now() end where id = :id",
            id=self.rng.choice(self.people),
        )

    def somebody_edits_on_an_old_page(self) -> None:
        account, name, value = self.an_account(), self.rng.choice(sorted(FIELDS)), f"w{self.rng.randint(0, 9999)}"
        rev = self.rng.randint(1, 4)
        self.on_the_pages(lambda session: accounts.edit(session, system_scope(), account, rev, {name: value}))

    def somebody_moves_an_account(self) -> None:
        area = self.rng.choice(AREAS)
        values = {"area": self.world.territories[area] if area else None, "id": self.an_account()}
        self.by_hand("update site set territory_id = :area where account_id = :id", **values)
        self.by_hand("update account set territory_id = :area where id = :id", **values)

    def somebody_deletes_or_brings_back(self) -> None:
        self.by_hand(
            "update account set deleted_at = case when deleted_at is null then now() end where id = :id",
            id=self.an_account(),
        )

    def two_accounts_become_one(self) -> None:
        winner, loser = self.rng.sample(self.accounts, 2)
        wish = merging.MergeWish({}, same_place=self.rng.choice((True, False)))
        self.on_the_pages(lambda session: merging.merge(session, system_scope(), winner, loser, wish))

    def somebody_plans_a_visit(self) -> None:
        values = {"account": self.an_account(), "rep": self.world.users[self.rng.choice(REPS)]}
        self.by_hand(
            "insert into visit (id, account_id, rep_id, day, zone)"
            " values (gen_random_uuid(), :account, :rep, current_date, 'Europe/Vaduz')",
            **values,
        )

    def somebody_is_given_an_area_or_loses_it(self) -> None:
        login, area = self.rng.choice(REPS), str(self.rng.choice(AREAS[:2]))
        held = self.world.sql(
            "select 1 from territory_member where user_id = :u and territory_id = :t and valid_to is null",
            u=self.world.users[login],
            t=self.world.territories[area],
        )
        (self.world.revoke if held else self.world.grant)(login, area)

    def two_reps_swap_their_areas(self) -> None:
        west, east = self.world.territories["west"], self.world.territories["east"]
        self.world.sql(
            "update territory_member set territory_id = case territory_id when :west then :east else :west end"
            " where valid_to is null",
            west=west,
            east=east,
        )

    def somebody_gets_another_role(self) -> None:
        statement = "update app_user set role = case role when 'rep' then 'manager' else 'rep' end where id = :id"
        self.by_hand(statement, id=self.world.users[self.rng.choice(REPS)])

    def a_manager_decides_a_conflict(self) -> None:
        decision = Decision(decision=self.rng.choice(("keep_server", "take_mine", "custom")), value="decided")

        def decide(session: Session) -> None:
            mona = scope_of(session, session.get_one(User, self.world.users["mona"]), source="web")
            if open_ones := conflicts.listed(session, mona, state="open", limit=1):
                conflicts.decide(session, mona, open_ones[0].id, decision)

        self.on_the_pages(decide)

    def prospects_are_picked_anew(self) -> None:
        """One comes, goes, or is another's ground."""
        area = self.rng.choice(AREAS)
        self.by_hand(
            "insert into offered_prospect as o (id, name, kind, kind_words, credit, pin, territory_id, deleted_at)"
            " values (:id, 'Firm', 'shop=bakery', '{}', '', st_setsrid(st_makepoint(9.5, 47.1), 4326), :area,"
            " case when :gone then now() end) on conflict (id) do update set"
            " rev = o.rev + 1, territory_id = excluded.territory_id, deleted_at = excluded.deleted_at",
            id=UUID(int=self.rng.randint(1, 4)),
            area=self.world.territories[area] if area else None,
            gone=self.rng.random() < 0.3,
        )

    def the_company_stops_or_begins_to_record(self) -> None:
        since = "case when tracks_since is null then now() - interval '1 hour' end"
        self.by_hand(f"update phone_rules set tracks_since = {since}")

    def the_company_changes_how_much_phones_hold(self) -> None:
        """So little that whole areas leave, or so much that all come back; what phones know is counted at night."""
        self.by_hand("update phone_rules set max_rows = :rows", rows=self.rng.choice((1, 6, 12, 20, 150_000)))

    def a_night_passes(self) -> None:
        self.on_the_pages(buckets.count)

    def an_open_transaction_ends(self) -> None:
        if self.open_ones:
            connection = self.open_ones.pop(self.rng.randrange(len(self.open_ones)))
            if self.rng.random() < 0.8:
                connection.commit()
            connection.close()


class ToTheServer(Company):
    """What happens to the database as a whole."""

    def a_backup_is_taken(self) -> None:
        """Now and then: copying a whole database is the dearest thing that happens."""
        if not self.backups.taken and self.rng.random() < SELDOM:
            self.end_open_ones()
            self.backups.take()

    def a_backup_is_verified(self) -> None:
        """Phones may forget what it holds; no push was open when it began, so that nothing less is held than that."""
        if not self.backups.taken and self.rng.random() < SELDOM:
            self.end_open_ones()
            self.backups.take()
            self.world.sql("update sync_meta set durable_at = clock_timestamp() + interval '30 seconds'")

    def the_database_is_restored(self) -> None:
        """Nobody tells the program."""
        if self.backups.taken and not self.backups.restored:
            self.end_open_ones()
            self.backups.restore(self.backups.taken[-1])

    def the_database_is_restored_by_the_book(self) -> None:
        if self.backups.taken and not self.backups.restored:
            self.the_database_is_restored()
            with transaction() as session:
                epochs.rotate(session)

    def a_dump_is_loaded_into_a_younger_cluster(self) -> None:
        """Its stamps lie in the future there."""
        self.end_open_ones()
        self.world.sql(
            "update sync_item set txid = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 100000)::text::xid8"
        )
