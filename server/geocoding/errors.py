"""What can go wrong with address files and lists of addresses."""

from server.kit.errors import Invalid, NotFound, Unavailable


class BadFile(Invalid):
    """A file that is not what it should be; the message names the file and, where there is one, the row."""

    code = "bad_file"


class LosesMuch(BadFile):
    """A newer file that lacks much of the one that it would replace."""

    code = "loses_much"


class NoAddresses(Unavailable):
    """Nothing to search in: no region and no address file is loaded."""

    code = "no_addresses"


class NoSuchSource(NotFound):
    """No address file of this name."""

    code = "no_such_source"


class NoSuchLoad(NotFound):
    """No upload of an address file like this."""

    code = "no_such_load"
