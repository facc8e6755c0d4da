"""Files: sniffed, limited, kept once, served harmlessly, removed when nothing has them."""

import errno
import hashlib
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin
from sqlalchemy import update

from server.files import checking, jobs, queries, service, sniffing, store
from server.files.checking import PictureTooLarge
from server.files.models import FileUse, StoredFile
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Gone, Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.settings import settings


def picture(width: int = 1200, height: int = 800, kind: str = "PNG", **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (15, 107, 79)).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def empty_store() -> None:
    """Contents of other tests are gone."""
    for path in [*store.stored(), *store.on_the_way()]:
        path.unlink()


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    assert client_for(None).post("/api/v1/files?name=a.txt", content=b"hello").status_code == 401
    assert list(store.on_the_way()) == []


def test_a_file_of_somebody_else_cannot_be_taken(session: Any, make_user: Any) -> None:
    rita, otto = make_user("rita"), make_user("otto")
    file = service.keep(session, store.take("a.txt", b"hello"), "a.txt", rita.id)
    with pytest.raises(NotFound):
        service.attach(session, "note", uuid7(), [file.id], otto.id)


def test_a_file_is_sent_and_described(client_for: Any, make_user: Any) -> None:
    answer = client_for(make_user()).post("/api/v1/files?name=C:\\photos\\door.png", content=picture())
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["media_type"], body["width"], body["height"]) == ("door.png", "image/png", 1200, 800)
    assert store.path_of(body["sha256"]).is_file()


def test_a_file_of_forty_megabytes_is_refused_before_it_is_read(client_for: Any, make_user: Any) -> None:
    answer = client_for(make_user()).post("/api/v1/files?name=film.mp4", content=b"x" * 40_000_000)
    assert answer.status_code == 413
    assert answer.json()["code"] == "file_too_large"
    assert "film.mp4" in answer.json()["detail"]
    assert list(store.on_the_way()) == []


def test_a_stream_that_hides_its_length_is_cut_off(client_for: Any, make_user: Any) -> None:
    pieces = (b"x" * 1_000_000 for _ in range(40))
    answer = client_for(make_user()).post("/api/v1/files?name=film.mp4", content=pieces)
    assert answer.status_code == 413
    assert "film.mp4" in answer.json()["detail"]
    assert list(store.on_the_way()) == []


def test_an_empty_file_is_refused(client_for: Any, make_user: Any) -> None:
    assert client_for(make_user()).post("/api/v1/files?name=a.txt", content=b"").status_code == 422


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", b"<html><script>alert(1)</script>", "text/plain"),
        ("a.png", b"\x89PNG\r\n\x1a\nbroken", "application/octet-stream"),
        ("a.txt", b"%PDF-1.7 ...", "application/pdf"),
        ("b.xlsx", b"PK\x03\x04....", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("b.zip", b"PK\x03\x04....", "application/zip"),
        ("c.bin", b"\x00\x01\x02\xff", "application/octet-stream"),
    ],
)
def test_the_type_is_read_from_the_content(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(content)
    assert sniffing.sniff(path, name).media_type == kind


def test_a_photo_taken_upright_is_measured_upright(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    turned = Image.Exif()
    turned[0x0112] = 6
    path.write_bytes(picture(400, 300, "JPEG", exif=turned))
    assert sniffing.sniff(path, "photo.jpg") == sniffing.Kind("image/jpeg", 300, 400)


def test_a_picture_of_many_pixels_or_with_damaged_notes_of_its_camera_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    monkeypatch.setattr(sniffing, "MOST_PIXELS", 100)
    monkeypatch.setattr(checking, "MOST_PIXELS", 100)
    large, bomb = tmp_path / "large.png", tmp_path / "bomb.png"
    Image.new("RGB", (9, 9)).save(large)
    Image.new("RGB", (11, 10)).save(bomb)
    assert sniffing.sniff(large, "large.png") == sniffing.Kind("image/png", 9, 9)
    assert sniffing.draw_small(large, tmp_path / "large.webp")
    with pytest.raises(PictureTooLarge, match="more than"):
        checking.check(bomb, "bomb.png")
    damaged = tmp_path / "damaged.jpg"
    Image.new("RGB", (6, 4)).save(damaged, exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x12\x01")
    assert sniffing.sniff(damaged, "damaged.jpg") == sniffing.Kind("image/jpeg", 6, 4)
    assert sniffing.draw_small(damaged, tmp_path / "damaged.webp")


PLACE = b"47.1 north 9.5 east"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("turned", [1, 6])
def test_what_a_camera_wrote_is_left_out_and_no_pixel_changes(
    session: Any, make_user: Any, kind: str, turned: int
) -> None:
    notes, text, colours = (
        Image.Exif(),
        PngImagePlugin.PngInfo(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
    )
    notes[0x010F], notes[0x0112] = PLACE.decode(), turned
    notes.get_ifd(0x8825)[1] = "N"
    text.add_text("Comment", PLACE.decode())
    more: dict[str, Any] = {
        "JPEG": {"xmp": b"<x>%s</x>" % PLACE, "comment": PLACE, "progressive": turned == 6, "restart_marker_blocks": 2},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": b"<x>%s</x>" % PLACE, "lossless": True},
        "GIF": {"comment": PLACE, "save_all": True, "append_images": [Image.new("P", (40, 30), 3)], "loop": 0},
    }[kind]
    buffer = io.BytesIO()
    if kind != "GIF":
        more |= {"exif": notes, "icc_profile": colours.tobytes()}
    Image.effect_noise((40, 30), 90).convert("RGB").save(buffer, kind, **more)
    sent = buffer.getvalue()
    assert PLACE in sent
    behind = b"" if kind == "WEBP" else PLACE
    file = service.keep(session, store.take("a", sent + behind), "a", make_user().id)
    kept = store.path_of(file.sha256).read_bytes()
    assert PLACE not in kept
    assert (file.size, file.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
    with Image.open(io.BytesIO(sent)) as before, Image.open(io.BytesIO(kept)) as after:
        assert after.info.get("icc_profile") == before.info.get("icc_profile")
        assert (after.tobytes(), getattr(after, "n_frames", 1)) == (before.tobytes(), getattr(before, "n_frames", 1))
        left = {} if kind == "GIF" or turned == 1 else {0x0112: 6}
        assert dict(after.getexif()) == left
    assert service.keep(session, store.take("a", kept), "a", make_user("again").id).sha256 == file.sha256


def test_a_picture_named_by_its_hash_stays_as_it_was_sent(session: Any, make_user: Any) -> None:
    content = store.take("a.jpg", picture(kind="JPEG", comment=PLACE))
    assert service.keep(session, content, "a.jpg", make_user().id, as_sent=True).sha256 == content.sha256


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_that_is_cut_off_is_drawn_or_refused_and_never_keeps_the_place(
    session: Any, make_user: Any, kind: str
) -> None:
    more = {"JPEG": {"comment": PLACE}, "GIF": {"comment": PLACE}}.get(kind, {})
    whole, rita = picture(60, 40, kind, **more), make_user().id
    for length in range(0, len(whole), 7):
        content = store.take("a", whole[:length] or b"-")
        try:
            file = service.keep(session, content, "a", rita)
        except service.DamagedPicture:
            assert not content.path.exists()
        else:
            assert file.media_type not in sniffing.PICTURES or PLACE not in store.path_of(file.sha256).read_bytes()


def test_the_same_content_takes_its_room_once(session: Any, make_user: Any) -> None:
    rita = make_user("rita")
    one, other = (service.keep(session, store.take(name, b"hello"), name, rita.id) for name in ("a.txt", "b.txt"))
    assert one.id != other.id
    assert one.sha256 == other.sha256
    assert len(list(store.stored())) == 1


def test_a_web_page_is_saved_and_never_opened_here(session: Any, make_user: Any) -> None:
    file = service.keep(session, store.take("evil.html", b"<script>1</script>"), "evil.html", make_user().id)
    answer = service.answer(file)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_lost_content_is_named(session: Any, make_user: Any) -> None:
    file = service.keep(session, store.take("a.txt", b"hello"), "a.txt", make_user().id)
    store.path_of(file.sha256).unlink()
    with pytest.raises(Gone, match=r"a\.txt"):
        service.answer(file)


def test_more_than_a_handful_is_refused(session: Any) -> None:
    with pytest.raises(Invalid, match="More than 20"):
        service.attach(session, "note", uuid7(), [uuid7() for _ in range(21)], None)


def test_the_small_picture_is_drawn_once(empty_database: Any) -> None:
    with transaction() as session:
        file = service.keep(session, store.take("a.png", picture()), "a.png", None)
    jobs.draw_thumbnail(str(file.id))
    jobs.draw_thumbnail(str(file.id))
    with transaction() as session:
        drawn = session.get_one(StoredFile, file.id)
        assert drawn.thumbnail_sha256 is not None
        with Image.open(store.path_of(drawn.thumbnail_sha256)) as small:
            assert small.size == (480, 320)
        assert service.answer(drawn, small=True).media_type == "image/webp"
    assert list(store.on_the_way()) == []


def test_what_nothing_has_is_removed_after_days(empty_database: Any) -> None:
    with transaction() as session:
        files = [service.keep(session, store.take(name, name.encode()), name, None) for name in ("used", "old", "new")]
        session.add(FileUse(entity="note", row_id=uuid7(), file_id=files[0].id))
        old = clock.now() - jobs.KEPT - timedelta(hours=1)
        session.execute(update(StoredFile).where(StoredFile.name != "new").values(created_at=old))
    left_behind = store.take("half", b"half").path
    os.utime(left_behind, (0, 0))
    jobs.sweep(0)
    assert {path.read_bytes() for path in store.stored()} == {b"used", b"new"}
    assert not left_behind.exists()


def test_files_of_a_row_keep_their_order(session: Any, make_user: Any) -> None:
    rita, row = make_user("rita"), uuid7()
    files = [service.keep(session, store.take(name, name.encode()), name, rita.id) for name in ("b", "a", "c")]
    service.attach(session, "note", row, [file.id for file in files], rita.id)
    assert [file.name for file in queries.of(session, "note", row)] == ["b", "a", "c"]
    service.attach(session, "note", row, [files[2].id, files[0].id], rita.id)
    assert [file.name for file in queries.of(session, "note", row)] == ["c", "b"]


def test_the_limit_is_a_setting() -> None:
    assert settings().max_file_mb == 25


def test_a_full_disk_is_said_in_words_and_leaves_nothing_half(
    client_for: Any, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    client = client_for(make_user())
    monkeypatch.setattr(store.os, "fsync", full)
    answer = client.post("/api/v1/files?name=a.txt", content=b"hello")
    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    with pytest.raises(store.DiskFull):
        store.take("a.txt", b"hello")
    assert list(store.on_the_way()) == []
