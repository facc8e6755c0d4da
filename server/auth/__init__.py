"""People and what they may do: users, teams, roles, sessions, tokens, devices, and the `Scope` that decides rows."""
