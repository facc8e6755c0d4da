"""Leads: who may become a customer, from the first sign to the account, with a score that explains itself."""
