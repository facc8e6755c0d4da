"""A mail as it goes over the wire, and the server that it goes to."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from server.kit.secrets import unseal
from server.mail.models import MailServer, Message
from server.mail.smtp import Server


def connection(server: MailServer) -> Server:
    """The server with its password, for use."""
    password = unseal(server.password) if server.password else ""
    return Server(server.host, server.port, server.security, server.username, password)


def message_id(message: Message, server: MailServer) -> str:
    """How mail programs know it, without brackets."""
    return f"{message.id}@{server.sender.rpartition('@')[2]}"


def written(message: Message, server: MailServer) -> bytes:
    """The mail as it goes over the wire: the same bytes on every try, so that the receiving side knows it again."""
    mail = EmailMessage(policy=SMTP)
    local, _, domain = server.sender.rpartition("@")
    mail["From"] = Address(message.sender_name or server.sender_name, local, domain)
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail["To"] = ", ".join(message.to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message_id(message, server)}>"
    if message.references:
        mail["In-Reply-To"] = f"<{message.references[-1]}>"
        mail["References"] = " ".join(f"<{one}>" for one in message.references)
    if message.sender_name is None:
        mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    for file in message.attachments:
        main, _, sub = file.media_type.partition(";")[0].strip().partition("/")
        mail.add_attachment(file.content or b"", maintype=main, subtype=sub, filename=file.name)
    if mail.is_multipart():
        mail.set_boundary(f"=_{message.id.hex}")
    return mail.as_bytes()
