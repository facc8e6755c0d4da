"""What the phone remembers: a precious outbox and a disposable cache, one folder per signed-in user."""

from mobile.field.store.store import Store

__all__ = ["Store"]
