"""Tickets: what customers ask for or complain about, in queues, against the clock, until it is solved."""
