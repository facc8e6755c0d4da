"""Opportunities: pipelines and their stages, deals on their way, forecast and how good it was."""
