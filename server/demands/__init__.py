"""Visit demand: what wants a visit, by when, worth what, and from which origin. Many rooms feed it, plans read it."""
