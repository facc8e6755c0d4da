"""Webhooks: other programs are told that something changed; signed, tried again, with a log and replay."""
