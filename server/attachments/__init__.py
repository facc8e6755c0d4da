"""Photos and files of accounts, visits, tickets and orders, from a browser or from a phone's camera."""
