"""Contacts: the people at accounts, how they may be reached, and what they have agreed to."""
