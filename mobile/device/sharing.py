"""Handing a file to other apps on Android: a copy among the downloads, and the system's sheet of ways to send it.

The media store takes it without a permission and gives an address that other apps may read; a file provider would need
a manifest that python-for-android does not write.
"""

import importlib
import os
import shutil
from pathlib import Path

from mobile.device.android import activity, java

GRANT_READ = 1
ZIP = "application/zip"


class AndroidSharing:
    """The downloads of the phone, and the share sheet."""

    def share(self, source: Path, title: str) -> str:
        values = java("android.content.ContentValues")()
        values.put("_display_name", source.name)
        values.put("mime_type", ZIP)
        resolver = activity().getContentResolver()
        uri = resolver.insert(java("android.provider.MediaStore$Downloads").EXTERNAL_CONTENT_URI, values)
        if uri is None:
            raise OSError("the phone's downloads take no file")
        try:
            with (
                source.open("rb") as content,
                os.fdopen(resolver.openFileDescriptor(uri, "w").detachFd(), "wb") as target,
            ):
                shutil.copyfileobj(content, target)
        except OSError:
            resolver.delete(uri, None, None)
            raise
        self._offer(uri, title)
        return f"Downloads/{source.name}"

    @staticmethod
    def _offer(uri: object, title: str) -> None:
        """Show the sheet; whatever the rep does with it, the copy stays among the downloads."""
        cast = importlib.import_module("jnius").cast
        intent = java("android.content.Intent")
        send = intent("android.intent.action.SEND")
        send.setType(ZIP)
        send.putExtra("android.intent.extra.STREAM", cast("android.os.Parcelable", uri))
        send.addFlags(GRANT_READ)
        words = cast("java.lang.CharSequence", java("java.lang.String")(title))
        activity().startActivity(intent.createChooser(send, words))
