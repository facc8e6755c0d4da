"""Accounts and their sites: the customers on the map, and the example that every other room copies."""
