"""A real phone without a screen: `python -m mobile.headless --home DIR COMMAND`, one JSON line on stdout.

Exit code 0: done (for a visit: saved on the phone, with or without a server). 1: not done, the line
says why in `code` and `detail`; unsent work stays on the phone. 2: the command line is wrong.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from mobile.device.desktop import device_name
from mobile.field import codes, reads, zones
from mobile.field.capture import VisitTarget, visit_event
from mobile.field.checkin import Fix, verify
from mobile.field.home import NotSignedIn, SignedIn
from mobile.field.store import Store, clock
from mobile.field.sync import export
from mobile.field.sync.problems import Problem
from mobile.field.sync.transport import BadAddress, Unreachable
from mobile.phone import Phone
from mobile.texts import Words

Answer = dict[str, Any]
METRE_IN_DEGREES = 1 / 111_195


def do_sign_in(phone: Phone, args: argparse.Namespace) -> Answer:
    """Register this phone with the server."""
    if args.code:
        who = phone.sign_in_by_code(args.server, codes.tidy(args.code), args.device_name)
    else:
        who = phone.sign_in(args.server, args.login, args.password, args.device_name)
    store = phone.home.store()
    try:
        return {
            "user_id": who.user_id,
            "name": who.name,
            "role": who.role,
            "device_id": store.outbox.meta.get("device_id"),
        }
    finally:
        store.close()


def do_sync(phone: Phone, args: argparse.Namespace) -> Answer:
    """One whole sync."""
    store = phone.home.store()
    try:
        report = phone.sync(store, server=args.server, with_maps=not args.no_maps)
        answer: Answer = {
            "ok": report.ok,
            "code": report.code,
            "detail": report.detail,
            "requeued": report.requeued,
            "results": dict(report.results),
            "parked": report.parked,
            "pages": report.pages,
            "rows": report.rows,
            "maps": report.maps,
            "map_error": report.map_error,
        }
        return answer | (_counts(store) if report.code != "wipe" else {})
    finally:
        store.close()


def do_today(phone: Phone, args: argparse.Namespace) -> Answer:
    """The stops of today, or of the next planned day when today has none."""
    who, store = phone.who(), phone.home.store()
    try:
        day = _day(store, who, args.day)
        return {
            "day": day.day,
            "zone": day.zone,
            "drive_s": day.drive_s,
            "distance_m": day.distance_m,
            "stops": [_stop(stop) for stop in day.stops],
        }
    finally:
        store.close()


def do_log_visits(phone: Phone, args: argparse.Namespace) -> Answer:
    """Finish the next N planned visits of the day: check-in near the pin, outcome, note. Needs no network."""
    who, store = phone.who(), phone.home.store()
    chance = random.Random(args.seed)
    try:
        day = _day(store, who, args.day)
        planned = [stop for stop in day.stops if stop.state == "planned" and stop.visit_id][: args.count]
        if len(planned) < args.count:
            return {"ok": False, "code": "no_planned_visits", "detail": f"{day.day} has {len(planned)} planned visits"}
        visits = [_log(store, stop, chance) for stop in planned]
        return {"day": day.day, "visits": visits} | _counts(store)
    finally:
        store.close()


def do_status(phone: Phone, _args: argparse.Namespace) -> Answer:
    """What is on the phone, what is on the server, what needs the rep."""
    who, store = phone.who(), phone.home.store()
    try:
        state = reads.sync_state(store)
        ops = [
            {
                "n": op.n,
                "op_id": op.op_id,
                "entity": op.e,
                "state": op.state,
                "visit_id": op.body.get("d", {}).get("visit_id"),
            }
            for op in store.outbox.ops()
        ]
        return {
            "user_id": who.user_id,
            "epoch": store.outbox.meta.get("epoch"),
            "synced_at": state.synced_at,
            "accounts": state.accounts,
            "maps": sorted(path.name for path in phone.home.packs.glob("*.wmap")),
            "ops": ops,
        } | _counts(store)
    finally:
        store.close()


def do_export(phone: Phone, args: argparse.Namespace) -> Answer:
    """Write what could not be sent into a sealed file for the company's server. Needs no network."""
    try:
        made = phone.write_export(args.into, Words())
    except export.NothingUnsent:
        return {"ok": False, "code": "nothing_unsent", "detail": "everything is on the server"}
    except export.NoKey:
        return {"ok": False, "code": "no_key", "detail": "the server has not told its key yet; sync once"}
    return {"file": str(made.path), "ops": made.ops, "photos": made.photos, "lost": made.lost}


def _counts(store: Store) -> Answer:
    state = reads.sync_state(store)
    return {
        "unsent": state.unsent,
        "oldest_unsent": state.oldest_unsent,
        "attention": state.needing,
        "unreadable": state.unreadable,
        "states": store.outbox.counts(),
    }


def _day(store: Store, who: SignedIn, wanted: str | None) -> reads.Day:
    if wanted:
        return reads.day(store, who.user_id, date.fromisoformat(wanted))
    today = reads.day(store, who.user_id, zones.today(store.outbox))
    if any(stop.state == "planned" for stop in today.stops):
        return today
    later = [day for day in reads.planned_days(store, who.user_id, zones.today(store.outbox)) if day > today.day]
    return reads.day(store, who.user_id, date.fromisoformat(later[0])) if later else today


def _stop(stop: reads.Stop) -> Answer:
    return {
        "position": stop.position,
        "visit_id": stop.visit_id,
        "account_id": stop.account_id,
        "name": stop.name,
        "city": stop.city,
        "state": stop.state,
        "arrives_at": stop.arrives_at.isoformat() if stop.arrives_at else None,
        "mark": stop.mark,
    }


def _log(store: Store, stop: reads.Stop, chance: random.Random) -> Answer:
    """Finish one visit as a rep would, standing up to 60 m from the pin."""
    fix = None
    if stop.lon is not None and stop.lat is not None:
        near = 60 * METRE_IN_DEGREES
        fix = Fix(
            lon=stop.lon + chance.uniform(-near, near) / 2,
            lat=stop.lat + chance.uniform(-near, near) / 2,
            accuracy_m=round(chance.uniform(5, 25), 1),
            taken_at=clock.now(),
        )
    target = VisitTarget(stop.account_id, stop.site_id, stop.day, stop.zone, stop.visit_id)
    met = [value for value, _label in store.picklist("visit_outcome") if value != "nobody_there"]
    outcome = chance.choice(met or ["order", "follow_up"])
    op = visit_event(store, target, "done", outcome=outcome, note="Logged without network.", fix=fix)
    verdict = verify(fix, stop.lon, stop.lat, stop.uncertainty_m)
    return {
        "op_id": op.op_id,
        "visit_id": stop.visit_id,
        "account": stop.name,
        "outcome": outcome,
        "verification": verdict.status,
        "distance_m": None if verdict.distance_m is None else round(verdict.distance_m),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mobile.headless", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--home", type=Path, required=True, help="the phone's folder")
    parser.add_argument("--server", help="the server's address (needed once, for sign-in)")
    parser.add_argument("--login", help="for sign-in")
    parser.add_argument("--password", help="for sign-in")
    parser.add_argument("--code", help="for sign-in, instead of login and password")
    parser.add_argument("--device-name", default=device_name(), help="how the server lists this phone")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sign-in", help=do_sign_in.__doc__)
    commands.add_parser("sync", help=do_sync.__doc__).add_argument("--no-maps", action="store_true")
    commands.add_parser("today", help=do_today.__doc__).add_argument("--day", help="YYYY-MM-DD")
    log = commands.add_parser("log-visits", help=do_log_visits.__doc__)
    log.add_argument("count", type=int)
    log.add_argument("--seed", type=int, default=0)
    log.add_argument("--day", help="YYYY-MM-DD")
    commands.add_parser("status", help=do_status.__doc__)
    commands.add_parser("export", help=do_export.__doc__).add_argument("into", type=Path, help="a folder")
    return parser


COMMANDS: dict[str, Callable[[Phone, argparse.Namespace], Answer]] = {
    "sign-in": do_sign_in,
    "sync": do_sync,
    "today": do_today,
    "log-visits": do_log_visits,
    "status": do_status,
    "export": do_export,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; the answer is the only line on stdout."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command == "sign-in" and not (args.server and (args.code or (args.login and args.password))):
        parser.error("sign-in needs --server, and --login and --password or --code")
    try:
        answer = {"ok": True, "command": args.command} | COMMANDS[args.command](Phone(args.home), args)
    except Problem as problem:
        answer = {"ok": False, "command": args.command, "code": problem.code, "detail": problem.detail}
    except (Unreachable, NotSignedIn, BadAddress, OSError, ValueError) as error:
        code = "unreachable" if isinstance(error, Unreachable) else type(error).__name__
        answer = {"ok": False, "command": args.command, "code": code, "detail": str(error)}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
