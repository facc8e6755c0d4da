"""What the rules of documents refuse."""

from typing import ClassVar

from server.kit.errors import Conflict, Invalid


class NotADraft(Conflict):
    """What has left the house is not changed any more."""

    code: ClassVar[str] = "not_a_draft"


class ProductGone(Conflict):
    """The product is sold no more."""

    code: ClassVar[str] = "product_gone"


class NoPrice(Invalid):
    """No list of the customer names the product."""

    code: ClassVar[str] = "no_price"


class CurrencyFixed(Conflict):
    """A document with lines keeps its currency unless it is priced anew."""

    code: ClassVar[str] = "currency_fixed"


class NeedsCredit(Invalid):
    """Something is taken back only by a credit note for a line of an order."""

    code: ClassVar[str] = "needs_credit_note"


class IdTaken(Conflict):
    """The id that a client made is that of something else."""

    code: ClassVar[str] = "id_taken"


class WrongState(Conflict):
    """The document does not stand where this can be done."""

    code: ClassVar[str] = "wrong_state"


class NothingInIt(Invalid):
    """A document without lines."""

    code: ClassVar[str] = "no_lines"


class NoTaxRate(Invalid):
    """Nobody has said what the tax is."""

    code: ClassVar[str] = "no_tax_rate"
