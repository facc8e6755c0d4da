"""Pictures that Android shows of the app."""
