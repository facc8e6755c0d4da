"""What can go wrong between a phone and us; the codes are the protocol's error contract."""

from server.kit.errors import Conflict, Gone, Invalid, TooLarge, Unavailable, UpgradeRequired


class BadMessage(Invalid):
    """A message that is not this protocol."""

    code = "bad_request"


class MessageTooLarge(TooLarge):
    """A message beyond the limits."""

    code = "too_big"


class EpochChanged(Conflict):
    """The database is another incarnation than the one the phone knows."""

    code = "epoch_changed"


class Gap(Conflict):
    """An op is missing before the first one sent."""

    code = "gap"


class DeviceForked(Conflict):
    """Two phones go under one device id."""

    code = "device_forked"


class CursorExpired(Gone):
    """The cursor is older than the tombstones we keep."""

    code = "cursor_expired"


class BucketGen(Gone):
    """A bucket is to be read from its beginning again."""

    code = "bucket_gen"


class ReplicaBehind(Unavailable):
    """This copy of the database does not know yet what the phone knows."""

    code = "replica_behind"


class Busy(Unavailable):
    """Others are in the way; the same request will do in a moment."""

    code = "busy"


class AppTooOld(UpgradeRequired):
    """The app cannot read what we would send; it may still push."""

    code = "upgrade"
