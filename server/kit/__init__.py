"""What every room stands on: settings, database, errors, clock, ids, paging, filter language. No domain words."""
