"""What can be wrong with a file as a whole."""

from server.kit.errors import Conflict, Invalid, TooLarge


class BadFile(Invalid):
    """A file that cannot be read as a table; the message names it and the way out."""

    code = "bad_file"


class ChooseLayer(BadFile):
    """A file with several tables; `choices` names them."""

    code = "choose_layer"


class FileTooLarge(TooLarge):
    """A file that is larger than the settings allow, packed or unpacked."""

    code = "file_too_large"


class NotReady(Conflict):
    """A step that an import is not ready for."""

    code = "import_not_ready"
