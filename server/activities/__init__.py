"""What people do with accounts. A visit is a row whose state only its events change; events are facts."""
