"""Territories: areas with members who work in them, with effective dates. Every change goes through `balance`."""
