"""Notes about an account: for everybody who may see it, with mentions, files, and a part that a customer may read."""
