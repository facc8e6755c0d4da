"""Mail that leaves: the server it goes through, an outbox with the state of each, sent by jobs."""
