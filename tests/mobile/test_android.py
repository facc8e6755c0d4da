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
from PIL import Image, ImageChops

import mobile
from mobile.device import android, sealing
from mobile.device.codes import AndroidCodes
from mobile.device.sharing import AndroidSharing
from mobile.field.store import clock
from mobile.icons import draw

ROOT = Path(mobile.__file__).parent
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
        "granted": {"CAMERA"}, "insert": lambda *_args: Java("entry", told), "toString": "content://1",
        "parse": str, "delete": lambda uri, *_args: gone.append(uri.toString()),
        "startActivityForResult": lambda _intent, code: told["listening"](code, result, None),
        "detachFd": lambda: os.open(shot, os.O_RDONLY),
    }  # fmt: skip
    taken = android.AndroidCamera(tmp_path).take(tmp_path / "raw.jpg")
    assert taken == (result == android.OK)
    assert (tmp_path / "raw.jpg").exists() == taken
    assert gone == ["content://1"]
    assert "listening" not in told


def test_a_photo_of_an_app_killed_beside_the_camera_leaves_the_shared_storage_at_its_next_start(told, tmp_path):
    gone = []

    def killed(*_args):
        raise KeyboardInterrupt

    told |= {"granted": {"CAMERA"}, "insert": lambda *_args: Java("entry", told), "toString": "content://1",
             "startActivityForResult": killed, "parse": str, "delete": killed}  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        android.AndroidCamera(tmp_path).take(tmp_path / "raw.jpg")
    told["delete"] = lambda uri, *_args: gone.append(uri)
    android.AndroidCamera(tmp_path)
    android.AndroidCamera(tmp_path)
    assert gone == ["content://1"]


def test_a_file_is_shared_as_a_copy_among_the_downloads(told, tmp_path):
    (tmp_path / "unsent.zip").write_bytes(b"PK sealed")
    values, sheets = {}, []
    told |= {
        "put": values.__setitem__, "insert": lambda *_args: "content://7", "createChooser": lambda *given: given,
        "detachFd": lambda: os.open(tmp_path / "copy.zip", os.O_WRONLY | os.O_CREAT), "startActivity": sheets.append,
    }  # fmt: skip
    assert AndroidSharing().share(tmp_path / "unsent.zip", "Unsent work") == "Downloads/unsent.zip"
    assert (tmp_path / "copy.zip").read_bytes() == b"PK sealed"
    assert values == {"_display_name": "unsent.zip", "mime_type": "application/zip"}
    assert len(sheets) == 1


def test_a_file_that_the_downloads_do_not_take_leaves_nothing_there(told, tmp_path):
    (tmp_path / "unsent.zip").write_bytes(b"PK sealed")
    gone = []
    told |= {"put": lambda *_args: None, "insert": lambda *_args: "content://7",
             "detachFd": lambda: os.open(tmp_path / "unsent.zip", os.O_RDONLY),
             "delete": lambda uri, *_args: gone.append(uri)}  # fmt: skip
    with pytest.raises(OSError, match=r"."):
        AndroidSharing().share(tmp_path / "unsent.zip", "Unsent work")
    assert gone == ["content://7"]


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
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "buildozer.spec", encoding="utf-8")
    return parser["app"]


def required():
    """What the build is given, by name, with the version that each is pinned to."""
    pins = (one.partition("==") for one in spec().get("requirements", raw=True).split(","))
    return {name: version for name, _, version in pins}


@pytest.fixture(scope="module")
def plan():
    """The order of recipes and the plain Python beside them, as python-for-android itself resolves the requirements."""
    from pythonforandroid.bootstrap import Bootstrap
    from pythonforandroid.build import Context
    from pythonforandroid.graph import get_recipe_order_and_bootstrap
    from pythonforandroid.recipe import Recipe

    context = Context()
    bootstrap = Bootstrap.get_bootstrap(spec()["p4a.bootstrap"], context)
    order, plain, found = get_recipe_order_and_bootstrap(context, list(required()), bootstrap)
    assert found is bootstrap
    return {name: Recipe.get_recipe(name, context).version for name in order}, set(plain)


def test_the_recipes_of_a_build_resolve_and_everything_in_it_is_pinned(plan):
    recipes, plain = plan
    pins = required()
    assert {name for name, version in pins.items() if not version} == {"android"}, "a part of python-for-android"
    assert {name: recipes[name] for name in pins.keys() & recipes.keys()} == {
        name: version or None for name, version in pins.items() if name in recipes
    }, "what the recipes were written for"
    assert plain == pins.keys() - recipes.keys(), "what pip would choose by itself"


def test_the_release_of_python_for_android_is_the_one_that_the_plan_was_resolved_with():
    import pythonforandroid
    from pythonforandroid import recommendations

    assert spec()["p4a.branch"] == f"v{pythonforandroid.__version__}"
    assert spec()["android.ndk"] == recommendations.RECOMMENDED_NDK_VERSION


def test_everything_the_app_imports_is_in_the_plan_of_a_build(plan):
    found = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                found[name.partition(".")[0]].add(path.name)
    recipes, plain = plan
    held = {"mobile", *sys.stdlib_module_names} | {IMPORTED_AS.get(one, one) for one in recipes.keys() | plain}
    assert {name: files for name, files in found.items() if name not in held} == {}


@pytest.mark.parametrize("name", draw.PICTURES)
def test_the_icons_are_those_of_the_mark(name):
    """After a change: `python -m mobile.icons.draw`."""
    with Image.open(draw.HERE / name) as kept:
        difference = ImageChops.difference(kept.convert("RGBA"), draw.PICTURES[name]())
    assert max(high for _low, high in difference.getextrema()) <= 8, "smoothing may differ by a shade"
    assert name in {Path(value).name for key, value in spec().items() if key.endswith("filename")}


def test_the_app_asks_for_what_its_devices_need_and_is_left_out_of_backups():
    app = spec()
    asked = set(app["android.permissions"].split(","))
    assert {"INTERNET", "ACCESS_NETWORK_STATE", "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION", "CAMERA"} <= asked
    assert not [one for one in asked if "BACKGROUND" in one or "STORAGE" in one or one == "VIBRATE"]
    assert app["android.allow_backup"] == "False"


def test_the_packaged_folder_finds_itself_under_any_name(tmp_path):
    (tmp_path / "app").symlink_to(ROOT)
    code = "import main, pathlib; main.adopt(pathlib.Path('app')); import mobile.phone; print(mobile.phone.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'app'); {code}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.strip().endswith("/app/phone.py"), ran.stderr
