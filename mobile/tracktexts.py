"""What the app says about the way that it records."""

EN = {
    "tracks": "Your way",
    "tracks_off": "Your company does not record the way you drive. A check-in keeps its place, and so does"
    " the end of a visit that you checked in at; nothing else does.",
    "tracks_on": "Your company records the way you drive while you work.",
    "tracks_today": "Today from {start} to {end}",
    "tracks_free": "Not today: it is no working day of yours.",
    "tracks_what": "While this app is open, it keeps your place and the time, every 30 seconds and every 50 m at most."
    " Never outside your working hours, on days off or in a pause.",
    "tracks_who": "You see it on the map of the day. Besides you only those who lead you see it. The server deletes it"
    " after {n} days.",
    "tracks_now": "Recording · places today: {n}",
    "tracks_later": "Not recording now · places today: {n}",
    "tracks_paused": "Paused until midnight. Those who lead you see that you paused, not where you are.",
    "tracks_pause": "Pause for today",
    "tracks_resume": "Record again",
    "tracks_paused_now": "Nothing is recorded until midnight.",
    "tracks_resumed": "Your way is recorded again.",
    "tracks_news": "Your company records the way you drive while you work. You can see what is kept, and pause it.",
    "tracks_show": "See what is recorded",
    "layers_track": "Where I drove",
    "kind_way": "A piece of your way",
    "kind_pause": "Pause of the recording",
    "kind_resume": "End of the pause",
    "h_tracks": "Your ways",
}

DE = {
    "tracks": "Ihr Weg",
    "tracks_off": "Ihr Unternehmen zeichnet nicht auf, wo Sie fahren. Ein Check-in hält seinen Ort fest, und nach einem"
    " Check-in das Ende des Besuchs; sonst nichts.",
    "tracks_on": "Ihr Unternehmen zeichnet auf, wo Sie bei der Arbeit fahren.",
    "tracks_today": "Heute von {start} bis {end}",
    "tracks_free": "Heute nicht: Es ist kein Arbeitstag von Ihnen.",
    "tracks_what": "Solange diese App offen ist, hält sie Ort und Zeit fest, höchstens alle 30 Sekunden und alle 50 m."
    " Nie ausserhalb Ihrer Arbeitszeit, an freien Tagen oder in einer Pause.",
    "tracks_who": "Sie sehen es auf der Karte des Tages. Ausser Ihnen sehen es nur Ihre Vorgesetzten. Der Server löscht"
    " es nach {n} Tagen.",
    "tracks_now": "Wird aufgezeichnet · Orte heute: {n}",
    "tracks_later": "Wird gerade nicht aufgezeichnet · Orte heute: {n}",
    "tracks_paused": "Pausiert bis Mitternacht. Ihre Vorgesetzten sehen, dass Sie pausieren, nicht wo Sie sind.",
    "tracks_pause": "Für heute pausieren",
    "tracks_resume": "Wieder aufzeichnen",
    "tracks_paused_now": "Bis Mitternacht wird nichts aufgezeichnet.",
    "tracks_resumed": "Ihr Weg wird wieder aufgezeichnet.",
    "tracks_news": "Ihr Unternehmen zeichnet auf, wo Sie bei der Arbeit fahren. Sie können sehen, was festgehalten"
    " wird, und es pausieren.",
    "tracks_show": "Ansehen, was aufgezeichnet wird",
    "layers_track": "Wo ich fuhr",
    "kind_way": "Ein Stück Ihres Weges",
    "kind_pause": "Pause der Aufzeichnung",
    "kind_resume": "Ende der Pause",
    "h_tracks": "Ihre Wege",
}
