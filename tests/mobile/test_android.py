"""The Android half on a desktop, with a made-up Java behind pyjnius; and what a build would be given."""

import ast
import base64
import configparser
import os
import subprocess
import sys
import types
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

import mobile
from mobile.device import android, sealing
from mobile.device.codes import AndroidCodes
from mobile.field.store import clock

ROOT = Path(mobile.__file__).parent
RECIPES = {"python3", "sqlite3", "openssl", "kivy", "cryptography", "pillow", "pyjnius", "android"}
"""Of python-for-android; `tzdata` is plain Python and needs none."""
PLAIN = {"tzdata"}
IMPORTED_AS = {"pillow": "PIL", "pyjnius": "jnius"}


class Java:
    """Whatever is asked for, remembering how it was used; named answers come from `told`."""

    def __init__(self, name, told):
        self.name, self.told = name, told

    def __getattr__(self, part):
        if part.startswith("__"):
            raise AttributeError(part)
        return Java(f"{self.name.rpartition('.')[2]}.{part}", self.told)

    def __call__(self, *args):
        answer = self.told.get(self.name.partition(".")[2] or self.name, None)
        if callable(answer):
            return answer(*args)
        return answer if answer is not None else Java(self.name, self.told)


@pytest.fixture
def told(monkeypatch):
    """A phone: what its methods answer, by their last name."""
    answers = {}
    jnius = types.ModuleType("jnius")
    jnius.autoclass = lambda name: Java(name.rpartition(".")[2], answers)
    jnius.cast = lambda _name, value: value
    jnius.PythonJavaClass = object
    jnius.java_method = lambda *_args, **_kwargs: lambda method: method
    permissions = types.ModuleType("android.permissions")
    permissions.check_permission = lambda name: name.rpartition(".")[2] in answers.get("granted", ())
    permissions.request_permissions = lambda names: answers.setdefault("asked", []).extend(names)
    events = types.ModuleType("android.activity")
    events.bind = lambda on_activity_result: answers.update(listening=on_activity_result)
    events.unbind = lambda on_activity_result: answers.pop("listening")
    package = types.ModuleType("android")
    for name, module in (("jnius", jnius), ("android", package), ("android.permissions", permissions),
                         ("android.activity", events)):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, module)
    return answers


class Place:
    def __init__(self, age_s, accuracy, mock=False):
        self.at, self.accuracy, self.mock = clock.now() - timedelta(seconds=age_s), accuracy, mock

    getLongitude, getLatitude = (lambda _self: 9.52), (lambda _self: 47.14)
    hasAccuracy, getAccuracy = (lambda self: self.accuracy is not None), (lambda self: self.accuracy)
    getTime = lambda self: int(self.at.timestamp() * 1000)  # noqa: E731
    isFromMockProvider = lambda self: self.mock  # noqa: E731


class Listed(list):
    get, size = list.__getitem__, list.__len__


def test_a_position_needs_the_permission_and_is_the_newest_fresh_reading(told):
    position = android.AndroidPosition()
    assert position.fix() is None
    assert told["asked"] == ["android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION"]
    places = {"gps": Place(90, 8.0), "network": Place(20, 60.0, mock=True)}
    told |= {"granted": {"ACCESS_FINE_LOCATION"}, "getLastKnownLocation": places.get,
             "getProviders": lambda _on: Listed(["gps", "network"])}  # fmt: skip
    fix = position.fix()
    assert (fix.lon, fix.lat, fix.accuracy_m, fix.mock) == (9.52, 47.14, 60.0, True)
    places.update(gps=Place(400, 8.0), network=None)
    assert position.fix() is None, "that was somewhere else"
    put_away = []
    told["removeUpdates"] = put_away.append
    position.rest()
    position.rest()
    assert len(put_away) == 1
    places["gps"] = Place(1, 8.0)
    assert position.fix().accuracy_m == 8.0, "and asked for anew"


@pytest.mark.parametrize(
    ("able", "connected", "metered"), [((12, 16, 11), True, False), ((12, 16), True, True), ((), False, True)]
)
def test_the_network_is_metered_unless_the_system_says_otherwise(told, able, connected, metered):
    told["hasCapability"] = lambda one: one in able
    network = android.AndroidNetwork()
    assert (network.connected(), network.metered()) == (connected, metered)


def test_without_a_network_nothing_is_asked_of_it(told, monkeypatch):
    monkeypatch.setattr(android, "activity", lambda: Java("activity", {"getSystemService": lambda _n: Offline()}))
    assert not android.AndroidNetwork().connected()


class Offline:
    def getActiveNetwork(self):
        return None


@pytest.mark.parametrize("result", [android.OK, 0])
def test_a_photo_is_copied_into_the_app_and_leaves_the_shared_storage(told, tmp_path, result):
    shot, gone = tmp_path / "shot.jpg", []
    shot.write_bytes(b"\xff\xd8 a picture")
    told |= {
        "granted": {"CAMERA"}, "insert": lambda *_args: "content://1", "delete": lambda uri, *_args: gone.append(uri),
        "startActivityForResult": lambda _intent, code: told["listening"](code, result, None),
        "detachFd": lambda: os.open(shot, os.O_RDONLY),
    }  # fmt: skip
    taken = android.AndroidCamera().take(tmp_path / "raw.jpg")
    assert taken == (result == android.OK)
    assert (tmp_path / "raw.jpg").exists() == taken
    assert gone == ["content://1"]
    assert "listening" not in told


def test_a_code_in_a_picture_is_read_by_the_library_of_the_build(told, tmp_path):
    class NothingFound(Exception):
        pass

    def decode(_bits):
        if len(seen[0]) != 40 * 30:
            raise NothingFound
        return Java("result", told)

    sys.modules["jnius"].JavaException = NothingFound
    seen = []
    told |= {"PlanarYUVLuminanceSource": lambda *args: seen.append(args[0]) or args, "decode": decode,
             "getText": "waymark://sign-in"}  # fmt: skip
    for size in ((40, 30), (3000, 20)):
        seen.clear()
        Image.new("RGB", size).save(tmp_path / "shot.jpg")
        assert AndroidCodes().read(tmp_path / "shot.jpg") == ("waymark://sign-in" if size == (40, 30) else None)
    assert len(seen[0]) == 1200 * 8


def test_secrets_are_kept_sealed_and_found_again(told):
    kept, key = {}, object()
    reverse = lambda octets: [(~one & 0xFF) - 256 if (~one & 0xFF) > 127 else ~one & 0xFF for one in octets]  # noqa: E731
    told |= {
        "getKey": lambda *_args: key, "getIV": lambda: [1, -2, 3], "doFinal": reverse, "commit": lambda: True,
        "getString": lambda name, _none: kept.get(name), "putString": lambda name, text: Edit(kept, name, text),
        "remove": lambda name: kept.pop(name) and Edit(kept),
    }  # fmt: skip
    secrets = android.AndroidSecrets()
    assert secrets.get("tokens-1") is None
    secrets.put("tokens-1", "höchst geheim")
    assert "geheim" not in kept["tokens-1"]
    assert base64.b64decode(kept["tokens-1"].split(".")[0]) == b"\x01\xfe\x03"
    assert secrets.get("tokens-1") == "höchst geheim"
    assert sealing.seals_of(secrets, "1").cache.open(sealing.seals_of(secrets, "1").cache.seal(b"row")) == b"row"
    secrets.delete("tokens-1")
    assert secrets.get("tokens-1") is None


class Edit:
    def __init__(self, kept, name=None, text=None):
        if name:
            kept[name] = text

    def commit(self):
        return True


def test_device_keys_are_made_in_the_keystore_and_sign_there(told):
    deleted = []
    told |= {"toString": lambda: "abc", "getEncoded": lambda: [48, -119], "sign": lambda: [-1, 0],
             "deleteEntry": deleted.append}  # fmt: skip
    keys = android.AndroidKeys()
    assert keys.create() == ("waymark-abc", base64.b64encode(b"\x30\x89").decode())
    assert keys.sign("waymark-abc", b"proof") == base64.b64encode(b"\xff\x00").decode()
    keys.destroy("waymark-abc")
    assert deleted == ["waymark-abc"]


# -- the build


def spec():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "buildozer.spec", encoding="utf-8")
    return parser["app"]


def test_everything_the_app_imports_has_a_recipe_or_is_plain_python():
    wanted = {one.partition("==")[0] for one in spec().get("requirements", raw=True).split(",")}
    assert wanted <= RECIPES | PLAIN
    found = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                found[name.partition(".")[0]].add(path.name)
    held = {"mobile", *sys.stdlib_module_names} | {IMPORTED_AS.get(one, one) for one in wanted}
    assert {name: files for name, files in found.items() if name not in held} == {}


def test_the_app_asks_for_what_its_devices_need_and_is_left_out_of_backups():
    app = spec()
    asked = set(app["android.permissions"].split(","))
    assert {"INTERNET", "ACCESS_NETWORK_STATE", "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION", "CAMERA"} <= asked
    assert not [one for one in asked if "BACKGROUND" in one or "STORAGE" in one]
    assert app["android.allow_backup"] == "False"


def test_the_packaged_folder_finds_itself_under_any_name(tmp_path):
    (tmp_path / "app").symlink_to(ROOT)
    code = "import main, pathlib; main.adopt(pathlib.Path('app')); import mobile.phone; print(mobile.phone.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'app'); {code}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.strip().endswith("/app/phone.py"), ran.stderr
