"""Calls, meetings, tasks and mails: what people do at accounts besides visits, and when."""
