"""Changing territories: areas and members change and accounts are realigned in one transaction."""
