"""Balancing territories: small areas are shared out so that hours, value and potential are even; pure, no database."""
