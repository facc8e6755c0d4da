"""What the app says about the PIN, the lock, what is sealed, and unsent work as a file."""

EN = {
    "lock": "Lock",
    "locked": "Locked",
    "unlock": "Unlock",
    "pin_code": "PIN",
    "pin_help": "Asked for after five minutes. Your work is sent behind it all the same.",
    "pin_on": "A PIN is set.",
    "set_pin": "Set a PIN",
    "change_pin": "Change the PIN",
    "remove_pin": "Remove the PIN",
    "pin_removed": "The PIN is removed.",
    "pin_choose": "Choose four to eight digits.",
    "pin_again": "The same digits once more.",
    "pin_short": "A PIN has four to eight digits.",
    "pin_differs": "The two were not the same. Start again.",
    "pin_set": "The PIN is set.",
    "pin_wrong": "This is not the PIN.",
    "pin_wait": "Too many wrong tries. Wait {n} seconds.",
    "pin_wait_long": "Too many wrong tries. Wait some minutes.",
    "pin_forgotten": "Sign in with the password",
    "alone": "This phone has not spoken with the server for {n} days, so its data is closed. Sign in to open it again.",
    "alone_unsent_one": "One entry is kept and will be sent after that.",
    "alone_unsent": "{n} entries are kept and will be sent after that.",
    "sealed_help": "Data, entries and photos are sealed on this phone; maps and ids are not.",
    "export": "Export unsent work",
    "export_help": "If the phone cannot send: a sealed file that only your office can open. It stays here as well.",
    "exporting": "Writing the file …",
    "exported": "{what} in the file {where}. Send or bring it to your office; they take it in under Phones.",
    "exported_entries": "{n} entries",
    "exported_entries_1": "1 entry",
    "exported_photos": "{what} and {n} pictures",
    "exported_lost": "{n} pictures could not be read on this phone any more and are not in it.",
    "export_title": "Unsent work from Waymark",
    "export_nothing": "Everything is on the server.",
    "export_no_key": "This phone cannot seal a file yet: it has to reach the server once more.",
    "export_failed": "The file could not be written. Free some space and try again.",
    "export_readme": "Unsent work from Waymark\n\n"
    "This file holds visits, changes and photos of {name} that the phone could not send to {server}.\n"
    "It is sealed: only that server can open it. Neither the phone nor whoever finds the file can read it.\n\n"
    "What to do: send or bring the file, as it is, to your office.\n"
    "There somebody who manages phones chooses it under Users > Phones > Take in an export,\n"
    "or runs: waymark sync take-in FILE\n\n"
    "Nothing happens twice: what has arrived before, or arrives from the phone later, counts once.\n"
    "Do not delete anything on the phone because of this file.\n",
}

DE = {
    "lock": "Sperre",
    "locked": "Gesperrt",
    "unlock": "Entsperren",
    "pin_code": "PIN",
    "pin_help": "Wird nach fünf Minuten verlangt. Ihre Arbeit wird dahinter trotzdem gesendet.",
    "pin_on": "Eine PIN ist gesetzt.",
    "set_pin": "PIN setzen",
    "change_pin": "PIN ändern",
    "remove_pin": "PIN entfernen",
    "pin_removed": "Die PIN ist entfernt.",
    "pin_choose": "Bitte vier bis acht Ziffern wählen.",
    "pin_again": "Dieselben Ziffern noch einmal.",
    "pin_short": "Eine PIN hat vier bis acht Ziffern.",
    "pin_differs": "Die beiden waren nicht gleich. Bitte von vorn.",
    "pin_set": "Die PIN ist gesetzt.",
    "pin_wrong": "Das ist nicht die PIN.",
    "pin_wait": "Zu viele falsche Versuche. Bitte {n} Sekunden warten.",
    "pin_wait_long": "Zu viele falsche Versuche. Bitte einige Minuten warten.",
    "pin_forgotten": "Mit Passwort anmelden",
    "alone": "Dieses Telefon hat seit {n} Tagen nicht mit dem Server gesprochen, darum sind die Daten geschlossen."
    " Nach der Anmeldung sind sie wieder da.",
    "alone_unsent_one": "Ein Eintrag bleibt aufbewahrt und wird danach gesendet.",
    "alone_unsent": "{n} Einträge bleiben aufbewahrt und werden danach gesendet.",
    "sealed_help": "Daten, Einträge und Fotos liegen verschlüsselt auf diesem Telefon; Karten und Kennungen nicht.",
    "export": "Nicht Gesendetes exportieren",
    "export_help": "Wenn das Telefon nicht senden kann: eine verschlüsselte Datei, die nur Ihr Büro öffnen kann."
    " Hier bleibt alles auch.",
    "exporting": "Die Datei wird geschrieben …",
    "exported": "{what} in der Datei {where}. Senden oder bringen Sie sie Ihrem Büro; dort wird sie unter Telefone"
    " aufgenommen.",
    "exported_entries": "{n} Einträge",
    "exported_entries_1": "1 Eintrag",
    "exported_photos": "{what} und {n} Bilder",
    "exported_lost": "{n} Bilder waren auf diesem Telefon nicht mehr lesbar und fehlen darin.",
    "export_title": "Nicht Gesendetes aus Waymark",
    "export_nothing": "Alles ist auf dem Server.",
    "export_no_key": "Dieses Telefon kann noch keine Datei verschlüsseln: es muss den Server noch einmal erreichen.",
    "export_failed": "Die Datei liess sich nicht schreiben. Schaffen Sie Platz und versuchen Sie es noch einmal.",
    "export_readme": "Nicht Gesendetes aus Waymark\n\n"
    "Diese Datei enthält Besuche, Änderungen und Fotos von {name}, die das Telefon nicht an {server} senden konnte.\n"
    "Sie ist verschlüsselt: nur jener Server kann sie öffnen, weder das Telefon noch wer die Datei findet.\n\n"
    "Was zu tun ist: die Datei unverändert dem Büro senden oder bringen.\n"
    "Wer dort Telefone verwaltet, wählt sie unter Benutzer > Telefone > Export aufnehmen,\n"
    "oder ruft auf: waymark sync take-in DATEI\n\n"
    "Nichts geschieht doppelt: was schon angekommen ist oder später vom Telefon kommt, zählt einmal.\n"
    "Löschen Sie wegen dieser Datei nichts auf dem Telefon.\n",
}
