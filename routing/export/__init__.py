"""A rep's planned day as files: calendar, track, tables, a sheet to print, a map to mail. Same day in, same bytes."""
