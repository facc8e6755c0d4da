"""What people are told: in the app, by mail at once or once a day, as each has chosen."""
