"""A phone's devices through pyjnius, behind the same ports as the desktop's stand-ins.

Java classes are asked for when they are needed, so that this file can be read, and tested, on a machine without them.
Keys are made in Android's Keystore and never leave it; secrets are sealed with one of them and kept in private
preferences, which are not part of backups.
"""

import base64
import importlib
import importlib.util
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mobile.field.checkin import Fix
from mobile.field.store import clock

STORE = "AndroidKeyStore"
WRAPPER = "waymark-secrets"
PURPOSE_ENCRYPT, PURPOSE_DECRYPT, PURPOSE_SIGN = 1, 2, 4
ENCRYPT_MODE, DECRYPT_MODE = 1, 2
TAG_BITS = 128
PRIVATE = 0
INTERNET, NOT_METERED, VALIDATED = 12, 11, 16
FRESH = timedelta(minutes=2)
"""An older reading says where the rep was, not where the rep is."""
EVERY_MS, EVERY_M = 5_000, 5.0
PHOTO_CODE = 7_341
FLAG_SECURE = 8192
OK = -1


def java(name: str) -> Any:
    """A Java class."""
    return importlib.import_module("jnius").autoclass(name)


def activity() -> Any:
    return java("org.kivy.android.PythonActivity").mActivity


def is_here() -> bool:
    """Whether this machine is an Android phone."""
    try:
        return importlib.util.find_spec("android") is not None and importlib.util.find_spec("jnius") is not None
    except ValueError:
        return False


class AndroidNetwork:
    """What the system says about connections."""

    def _has(self, *wanted: int) -> bool:
        manager = activity().getSystemService("connectivity")
        network = manager.getActiveNetwork()
        able = None if network is None else manager.getNetworkCapabilities(network)
        return able is not None and all(able.hasCapability(one) for one in wanted)

    def connected(self) -> bool:
        return self._has(INTERNET, VALIDATED)

    def metered(self) -> bool:
        """Mobile data and shared phones; no network counts as metered, nothing could be sent anyway."""
        return not self._has(NOT_METERED)


class AndroidPosition:
    """The newest reading of GPS, of the network's guess, or of both together."""

    PROVIDERS = ("fused", "gps", "network")

    def __init__(self) -> None:
        self._manager: Any = None
        self._listener: Any = None

    def fix(self) -> Fix | None:
        manager = self._listening()
        if manager is None:
            return None
        known = [manager.getLastKnownLocation(one) for one in self.PROVIDERS if one in self._providers(manager)]
        fixes = [self._fix(one) for one in known if one is not None]
        newest = max(fixes, key=lambda one: one.taken_at, default=None)
        return newest if newest is not None and clock.now() - newest.taken_at <= FRESH else None

    def rest(self) -> None:
        """Let the phone put its GPS away; the next question asks for readings anew."""
        if self._manager is not None:
            self._manager.removeUpdates(self._listener)
            self._manager = self._listener = None

    @staticmethod
    def _providers(manager: Any) -> list[str]:
        found = manager.getProviders(True)
        return [str(found.get(n)) for n in range(found.size())]

    def _listening(self) -> Any:
        """The location service, asked for readings from now on; None without the permission."""
        if not granted("ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION"):
            return None
        if self._manager is None:
            self._manager = activity().getSystemService("location")
            self._listener = listener()
            looper = java("android.os.Looper").getMainLooper()
            for provider in self._providers(self._manager):
                self._manager.requestLocationUpdates(provider, EVERY_MS, EVERY_M, self._listener, looper)
        return self._manager

    @staticmethod
    def _fix(place: Any) -> Fix:
        accuracy = place.getAccuracy() if place.hasAccuracy() else 10_000.0
        return Fix(
            lon=place.getLongitude(),
            lat=place.getLatitude(),
            accuracy_m=float(accuracy),
            taken_at=datetime.fromtimestamp(place.getTime() / 1000, UTC),
            mock=bool(place.isFromMockProvider()),
        )


def listener() -> Any:
    """A listener that keeps the readings coming; the newest are read from the service itself.

    Android 12 hands over lists as well, and calls a method that is missing at the cost of the app.
    """
    jnius = importlib.import_module("jnius")
    base = jnius.PythonJavaClass
    method: Callable[..., Callable[[Callable[..., None]], Callable[..., None]]] = jnius.java_method

    class Listener(base):  # type: ignore[misc, valid-type]
        __javainterfaces__ = ("android/location/LocationListener",)
        __javacontext__ = "app"

        @method("(Landroid/location/Location;)V", name="onLocationChanged")
        def changed(self, _place: Any) -> None: ...

        @method("(Ljava/util/List;)V", name="onLocationChanged")
        def changed_often(self, _places: Any) -> None: ...

        @method("(Ljava/lang/String;)V", name="onProviderEnabled")
        def enabled(self, _provider: Any) -> None: ...

        @method("(Ljava/lang/String;)V", name="onProviderDisabled")
        def disabled(self, _provider: Any) -> None: ...

        @method("(Ljava/lang/String;ILandroid/os/Bundle;)V", name="onStatusChanged")
        def status(self, _provider: Any, _status: Any, _extras: Any) -> None: ...

    return Listener()


def granted(*names: str) -> bool:
    """Whether one of these permissions is given; asks for them otherwise, for the next time."""
    permissions = importlib.import_module("android.permissions")
    full = [f"android.permission.{name}" for name in names]
    if any(permissions.check_permission(one) for one in full):
        return True
    permissions.request_permissions(full)
    return False


class AndroidCamera:
    """The system's camera app. It writes into an entry of the media store, which is copied into the app's own folder
    and deleted at once: a file provider would need a manifest that python-for-android does not write. Where the app is
    killed meanwhile, its next start deletes the entry.
    """

    def __init__(self, folder: Path, timeout_s: float = 600.0) -> None:
        self._entry, self._timeout_s = folder / "camera-entry", timeout_s
        self._forget()

    def _forget(self) -> None:
        """Delete the entry of the media store that is named here, if one is."""
        if self._entry.is_file():
            entry = java("android.net.Uri").parse(self._entry.read_text(encoding="utf-8"))
            activity().getContentResolver().delete(entry, None, None)
            self._entry.unlink()

    def take(self, into: Path) -> bool:
        if not granted("CAMERA"):
            return False
        media = java("android.provider.MediaStore$Images$Media")
        resolver = activity().getContentResolver()
        uri = resolver.insert(media.EXTERNAL_CONTENT_URI, java("android.content.ContentValues")())
        try:
            self._entry.write_text(uri.toString(), encoding="utf-8")
            if not self._ask(uri):
                return False
            with os.fdopen(resolver.openFileDescriptor(uri, "r").detachFd(), "rb") as shot:
                into.write_bytes(shot.read())
            return into.stat().st_size > 0
        finally:
            resolver.delete(uri, None, None)
            self._entry.unlink(missing_ok=True)

    def _ask(self, uri: Any) -> bool:
        """Show the camera and wait for it; False when the rep gave up."""
        intent = java("android.content.Intent")("android.media.action.IMAGE_CAPTURE")
        intent.putExtra("output", importlib.import_module("jnius").cast("android.os.Parcelable", uri))
        done, results = threading.Event(), []

        def answered(code: int, result: int, _intent: Any) -> None:
            if code == PHOTO_CODE:
                results.append(result)
                done.set()

        events = importlib.import_module("android.activity")
        events.bind(on_activity_result=answered)
        try:
            activity().startActivityForResult(intent, PHOTO_CODE)
            done.wait(self._timeout_s)
        finally:
            events.unbind(on_activity_result=answered)
        return results == [OK]


def _keystore() -> Any:
    store = java("java.security.KeyStore").getInstance(STORE)
    store.load(None)
    return store


def _spec(alias: str, purposes: int) -> Any:
    return java("android.security.keystore.KeyGenParameterSpec$Builder")(alias, purposes)


class AndroidKeys:
    """P-256 key pairs in the Keystore, in hardware where there is any."""

    def create(self) -> tuple[str, str]:
        alias = f"waymark-{java('java.util.UUID').randomUUID().toString()}"
        curve = java("java.security.spec.ECGenParameterSpec")("secp256r1")
        spec = _spec(alias, PURPOSE_SIGN).setAlgorithmParameterSpec(curve).setDigests(["SHA-256"]).build()
        maker = java("java.security.KeyPairGenerator").getInstance("EC", STORE)
        maker.initialize(spec)
        public = maker.generateKeyPair().getPublic().getEncoded()
        return alias, base64.b64encode(octets(public)).decode("ascii")

    def sign(self, alias: str, message: bytes) -> str:
        signer = java("java.security.Signature").getInstance("SHA256withECDSA")
        signer.initSign(_keystore().getKey(alias, None))
        signer.update(message)
        return base64.b64encode(octets(signer.sign())).decode("ascii")

    def destroy(self, alias: str) -> None:
        _keystore().deleteEntry(alias)


def octets(array: Any) -> bytes:
    """A Java array as bytes; its numbers run from -128."""
    return bytes(one & 0xFF for one in array)


class AndroidSecrets:
    """Small values in private preferences, each sealed by a key that never leaves the Keystore."""

    NAME = "waymark-secrets"

    def __init__(self) -> None:
        self._turn = threading.Lock()

    @classmethod
    def _kept(cls) -> Any:
        return activity().getSharedPreferences(cls.NAME, PRIVATE)

    @staticmethod
    def _cipher(mode: int, nonce: bytes | None = None) -> Any:
        cipher = java("javax.crypto.Cipher").getInstance("AES/GCM/NoPadding")
        key = _keystore().getKey(WRAPPER, None)
        if key is None:
            spec = _spec(WRAPPER, PURPOSE_ENCRYPT | PURPOSE_DECRYPT).setKeySize(256).setBlockModes(["GCM"])
            maker = java("javax.crypto.KeyGenerator").getInstance("AES", STORE)
            maker.init(spec.setEncryptionPaddings(["NoPadding"]).build())
            key = maker.generateKey()
        if nonce is None:
            cipher.init(mode, key)
        else:
            cipher.init(mode, key, java("javax.crypto.spec.GCMParameterSpec")(TAG_BITS, nonce))
        return cipher

    def get(self, name: str) -> str | None:
        with self._turn:
            kept = self._kept().getString(name, None)
            if kept is None:
                return None
            nonce, sealed = (base64.b64decode(part) for part in str(kept).split("."))
            return octets(self._cipher(DECRYPT_MODE, nonce).doFinal(sealed)).decode("utf-8")

    def put(self, name: str, value: str) -> None:
        with self._turn:
            cipher = self._cipher(ENCRYPT_MODE)
            sealed = octets(cipher.doFinal(value.encode("utf-8")))
            parts = (octets(cipher.getIV()), sealed)
            text = ".".join(base64.b64encode(part).decode("ascii") for part in parts)
            if not self._kept().edit().putString(name, text).commit():
                raise OSError(f"the phone's secure storage did not keep {name}")

    def delete(self, name: str) -> None:
        with self._turn:
            self._kept().edit().remove(name).commit()


def hide_from_screenshots() -> None:
    """No picture of customers in the list of recent apps, and no screenshots."""
    on_screen = importlib.import_module("android.runnable").run_on_ui_thread
    on_screen(lambda: activity().getWindow().addFlags(FLAG_SECURE))()


def device_name() -> str:
    """Maker and model, for the list of devices."""
    build = java("android.os.Build")
    return f"{build.MANUFACTURER} {build.MODEL}"


def language() -> str:
    """The language that the user has chosen in the system."""
    return str(java("java.util.Locale").getDefault().getLanguage())
