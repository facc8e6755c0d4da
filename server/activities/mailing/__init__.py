"""Mails that people write to accounts: from them, with their signature, threaded, through the company's server."""
