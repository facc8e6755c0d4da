"""What becomes of each mail that came in: to its account, to a ticket, or to somebody who decides."""
