"""What the app says about signing in with a code."""

EN = {
    "scan_code": "Scan a code",
    "type_code": "Type the code",
    "with_password": "With login and password",
    "code": "Code",
    "code_help": "The office, or your own settings in a browser, show it under “Add a phone”.",
    "code_scanned": "This code is for {server}. Sign in if that is your company's server.",
    "scan_nothing": "No code was found in the picture. Hold the phone so that the code fills it, or type the code.",
    "scan_none_taken": "No picture was taken. Type the code instead.",
    "scan_foreign": "This is no code for Waymark. Scan the one under “Add a phone”.",
    "err_code_typed": "A code has ten letters and digits, without 0, 1, I, L, O and U. Look at it again.",
    "err_code_unknown": "The server does not know this code. Check the code and the address, or ask for a new one.",
    "err_code_used": "This code has let a phone in already. Ask for a new one; each works once.",
    "err_code_expired": "This code is not valid any more. Ask for a new one: the newest works, once, for ten minutes.",
    "err_code_person": "Your account is switched off. Ask the office.",
    "err_rate_limited": "Too many wrong tries. Wait fifteen minutes.",
    "sign_out_drafts_1": "1 form is not finished. It stays on this phone and is there when you sign in again.",
    "sign_out_drafts": "{n} forms are not finished. They stay on this phone and are there when you sign in again.",
    "sign_in_lacks": "Still empty: {names}",
    "err_not_found": "Waymark answers at this address, but not below it. Leave out what follows the server's name.",
    "err_foreign": "Something answers at this address, but it is no Waymark ({code}). Check the address.",
    "err_unreachable_https": (
        "Nothing answers at https://{server}. A server without https needs http:// before its name."
    ),
    "err_sign_in": "Signing in did not work ({code}). Check the address and try again, or ask the office.",
}

DE = {
    "scan_code": "Code scannen",
    "type_code": "Code eintippen",
    "with_password": "Mit Anmeldename und Passwort",
    "code": "Code",
    "code_help": "Das Büro oder Ihre Einstellungen im Browser zeigen ihn unter «Telefon hinzufügen».",
    "code_scanned": "Dieser Code ist für {server}. Melden Sie sich an, wenn das der Server Ihrer Firma ist.",
    "scan_nothing": "Im Bild ist kein Code. Halten Sie das Telefon so, dass er es füllt, oder tippen Sie ihn ein.",
    "scan_none_taken": "Es wurde kein Bild aufgenommen. Bitte den Code eintippen.",
    "scan_foreign": "Das ist kein Code für Waymark. Bitte den unter «Telefon hinzufügen» scannen.",
    "err_code_typed": "Ein Code hat zehn Buchstaben und Ziffern, ohne 0, 1, I, L, O und U. Bitte noch einmal ansehen.",
    "err_code_unknown": "Der Server kennt diesen Code nicht. Code und Adresse prüfen oder einen neuen verlangen.",
    "err_code_used": "Mit diesem Code kam schon ein Telefon herein. Bitte einen neuen verlangen; jeder gilt einmal.",
    "err_code_expired": "Dieser Code gilt nicht mehr. Bitte einen neuen verlangen: Der neueste gilt zehn Minuten lang.",
    "err_code_person": "Ihr Konto ist abgeschaltet. Bitte im Büro fragen.",
    "err_rate_limited": "Zu viele falsche Versuche. Bitte fünfzehn Minuten warten.",
    "sign_out_drafts_1": "1 Formular ist nicht fertig. Es bleibt auf diesem Telefon und ist nach dem Anmelden da.",
    "sign_out_drafts": "{n} Formulare sind nicht fertig. Sie bleiben auf diesem Telefon und sind nach dem Anmelden da.",
    "sign_in_lacks": "Noch leer: {names}",
    "err_not_found": "Waymark antwortet hier, aber nicht unter diesem Pfad. Bitte nur den Namen des Servers eingeben.",
    "err_foreign": "Unter dieser Adresse antwortet etwas, aber kein Waymark ({code}). Bitte die Adresse prüfen.",
    "err_unreachable_https": (
        "Unter https://{server} antwortet nichts. Ein Server ohne https braucht http:// vor dem Namen."
    ),
    "err_sign_in": "Die Anmeldung ging nicht ({code}). Adresse prüfen und noch einmal versuchen oder im Büro fragen.",
}
