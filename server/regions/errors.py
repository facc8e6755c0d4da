"""What can go wrong with regions."""

import errno

from server.kit.errors import Conflict, Invalid, NotFound, Unavailable


class BadExtract(Invalid):
    """The file is no usable OpenStreetMap extract."""

    code = "bad_extract"


class NoSuchRegion(NotFound):
    """Neither we nor the extract server know a region of this name."""

    code = "no_such_region"


class BeingBuilt(Conflict):
    """Another process builds this very region right now."""

    code = "region_being_built"


class Overtaken(Conflict):
    """A later extract of the same name went into service while this one was being built."""

    code = "region_overtaken"


class ExtractServerAway(Unavailable):
    """The extract server does not answer."""

    code = "extract_server_away"


class NoSpace(Unavailable):
    """The disk is full."""

    code = "disk_full"


def is_disk_full(error: OSError) -> bool:
    """Whether the system says that there is no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
