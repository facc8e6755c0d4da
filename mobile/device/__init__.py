"""What the machine gives the app, behind the ports of `mobile.field.ports`."""
