"""The page in a real Chromium: by mouse and by keyboard, wide and narrow."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skimage.data
from colorizers import Slow
from PIL import Image

from labcolor import read_picture, rgb_to_lab, write_picture
from labcolor.demo.workers import Limits

pytestmark = pytest.mark.slow
STATUS = "document.getElementById('status').textContent"
PROBLEM = "document.getElementById('problem').hidden ? '' : document.getElementById('problem').textContent"
FOCUS = "document.activeElement.id"


def colored(browser, count=0, *, like=False):
    """Wait until the page says that it has colored the picture, with a number of known colors."""
    known = f", with {count} known color{'s' if count > 1 else ''}" if count else ""
    text = f"Colored{', like the other photograph' * like}{known}."
    browser.until(f"{STATUS} == '{text}' && !document.getElementById('stage').hasAttribute('aria-busy')")


def pixel(browser, x, y):
    """The color of a place of the colored picture, given in shares of its sides, as a and b."""
    rgb = browser.eval(
        "(() => { const i = document.getElementById('after'), c = document.createElement('canvas');"
        "[c.width, c.height] = [i.naturalWidth, i.naturalHeight]; const t = c.getContext('2d'); t.drawImage(i, 0, 0);"
        f"return [...t.getImageData({x} * c.width, {y} * c.height, 1, 1).data].slice(0, 3); }})()"
    )
    return rgb_to_lab(np.array(rgb, np.uint8))[1:]


def downloaded(browser, pattern="*[!d]"):
    """The file that the page has downloaded, complete, that is, not a .crdownload."""
    end = time.monotonic() + 20
    while not (files := list(browser.downloads.glob(pattern))):
        assert time.monotonic() < end
        time.sleep(0.05)
    return files[0]


@pytest.fixture
def old(tmp_path):
    """A grey photograph of 3000 x 2000, as a JPEG that lies on its side."""
    photo = Image.fromarray(skimage.data.coffee()).convert("L").resize((3000, 2000)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "old.jpg"
    photo.save(path, exif=exif.tobytes())
    return path


def test_by_mouse_from_the_file_to_the_download(browser, server, old):
    """A file is chosen, made grey and vivid, given a color by a click, compared, and downloaded at its full size."""
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.choose(old)
    colored(browser)
    assert "3000 \N{MULTIPLICATION SIGN} 2000 pixels" in browser.eval("document.getElementById('size').textContent")
    set_saturation = (
        "const s = document.getElementById('saturation'); s.value = {}; s.dispatchEvent(new Event('input'))"
    )
    before = pixel(browser, 0.8, 0.9)
    browser.eval("{" + set_saturation.format(0) + "}")
    browser.until("document.getElementById('saturation-value').textContent == '0.0'")
    end = time.monotonic() + 10
    while np.abs(pixel(browser, 0.8, 0.9)).max() > 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert np.abs(before).max() > 5
    browser.eval("{" + set_saturation.format(1) + "}")
    colored(browser)

    browser.eval("document.querySelector('#colors input[value=Navy]').click()")
    left, top, width, height = browser.box("#stage")
    browser.click(left + 0.8 * width, top + 0.9 * height)
    colored(browser, 1)
    assert pixel(browser, 0.8, 0.9)[1] < -20
    assert browser.eval("document.querySelectorAll('#spots li').length") == 1

    browser.mouse("mousePressed", left + 0.5 * width, top + 0.3 * height)  # the divider
    browser.mouse("mouseMoved", left + 0.25 * width, top + 0.3 * height)
    browser.mouse("mouseReleased", left + 0.25 * width, top + 0.3 * height)
    assert browser.eval("document.getElementById('compare').value") == "25"
    assert browser.eval("document.querySelectorAll('#spots li').length") == 1

    browser.eval("document.getElementById('download').click()")
    path = downloaded(browser)
    assert path.name == "old-colored.jpg"
    result = read_picture(path)
    assert result.shape == (2000, 3000, 3)
    assert rgb_to_lab(result[1800, 2400])[2] < -20
    browser.until(f"{STATUS}.startsWith('Downloaded old-colored.jpg, 3000')")

    assert browser.eval("document.getElementById('compare').value") == "25"  # where it was left

    x, y, side, _ = browser.box("#dots g")
    browser.click(x + side / 2, y + side / 2)
    colored(browser)
    assert browser.problems == []


def stroke(browser, *places):
    """Draw a line on the picture, through places in shares of its sides."""
    left, top, width, height = browser.box("#stage")
    points = [(left + x * width, top + y * height) for x, y in places]
    browser.mouse("mousePressed", *points[0])
    for x, y in points[1:]:
        browser.mouse("mouseMoved", x, y)
    browser.mouse("mouseReleased", *points[-1])


def test_strokes_undo_and_reload(browser, server):
    """A stroke colors its line; a fence and a spot to keep are drawn; undo, redo and a reload bring all of it back."""
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.eval("document.querySelector('#samples button').click()")
    colored(browser)
    browser.eval("document.querySelector('#colors input[value=Navy]').click()")
    stroke(browser, (0.6, 0.9), (0.7, 0.9), (0.8, 0.9), (0.9, 0.9))
    colored(browser, 1)
    assert [pixel(browser, x, 0.9)[1] < -20 for x in (0.62, 0.75, 0.88)] == [True] * 3
    browser.eval("document.querySelector('#tools input[value=fence]').click()")
    stroke(browser, (0.1, 0.1), (0.1, 0.4), (0.4, 0.4))
    colored(browser, 2)
    browser.eval("document.querySelector('#tools input[value=keep]').click()")
    stroke(browser, (0.3, 0.7))
    colored(browser, 3)
    rows = "[...document.querySelectorAll('#spots li span:nth-of-type(2)')].map((e) => e.textContent.split(' ')[0])"
    assert browser.eval(rows) == ["Navy", "Fence", "Keep"]
    browser.press("z", modifiers=2)
    colored(browser, 2)
    browser.eval("document.getElementById('undo').click()")
    colored(browser, 1)
    browser.press("y", modifiers=2)
    colored(browser, 2)
    browser.press("z", modifiers=2 + 8)
    colored(browser, 3)
    points = "document.querySelectorAll('#dots polyline')[3].getAttribute('points')"
    drawn = browser.eval(points)
    assert len(drawn.split()) == 3
    browser.call("Page.reload")
    browser.until("document.querySelectorAll('#spots li').length == 3")
    colored(browser, 3)
    assert browser.eval(rows) == ["Navy", "Fence", "Keep"]
    assert browser.eval(points) == drawn
    browser.eval("document.getElementById('another').click()")
    browser.call("Page.reload")
    browser.until("document.querySelectorAll('#samples img').length > 4")
    assert browser.eval("document.getElementById('work').hidden")
    assert browser.problems == []


def test_zoom_and_pan(browser, server):
    """Buttons, keys and Ctrl with the wheel zoom around a point; Move pans; a spot lands where it is clicked."""
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.eval("document.querySelector('#samples button').click()")
    colored(browser)
    left, top, width, height = browser.box("#stage")
    frame = browser.box("#frame")
    browser.eval("document.getElementById('larger').click()")
    assert browser.box("#stage")[2] == pytest.approx(1.5 * width, abs=1)
    assert browser.box("#frame")[3] == pytest.approx(frame[3], abs=1)
    x, y = left + 0.25 * width, top + 0.25 * height
    box = "document.getElementById('stage').getBoundingClientRect()"
    place = f"(() => {{ const b = {box}; return [({x} - b.left) / b.width, ({y} - b.top) / b.height]; }})()"
    before = browser.eval(place)
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200, modifiers=2)
    browser.until(f"document.getElementById('stage').clientWidth > {2.9 * width}")
    np.testing.assert_allclose(browser.eval(place), before, atol=0.01)
    browser.eval("document.querySelector('#tools input[value=move]').click()")
    browser.mouse("mousePressed", x, y)
    browser.mouse("mouseMoved", x - 40, y - 30)
    browser.mouse("mouseReleased", x - 40, y - 30)
    np.testing.assert_allclose(browser.eval(place), np.add(before, [40 / (3 * width), 30 / (3 * height)]), atol=0.01)
    browser.eval("document.querySelector('#tools input[value=color]').click()")
    there = browser.eval(place)
    browser.click(x, y)
    colored(browser, 1)
    text = browser.eval("document.querySelector('#spots li span:nth-of-type(2)').textContent")
    assert text == f"Skin at {round(100 * there[0])} %, {round(100 * there[1])} %"
    browser.eval("document.getElementById('stage').focus()")
    browser.press("0")
    assert browser.box("#stage")[2] == pytest.approx(width, abs=1)
    assert browser.problems == []


def test_a_color_of_another_photograph(browser, server, tmp_path):
    """A click on another photograph picks its color there, and the next spot has it."""
    photo = np.zeros((60, 90, 3), np.uint8)
    photo[:, :45], photo[:, 45:] = (40, 60, 200), (200, 60, 40)
    write_picture(tmp_path / "other.png", photo)
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.eval("document.querySelector('#samples button').click()")
    colored(browser)
    browser.choose(tmp_path / "other.png", "#exemplar-file")
    colored(browser, like=True)
    left, top, width, height = browser.box("#exemplar")
    browser.click(left + 0.25 * width, top + 0.5 * height)
    picked = browser.eval("document.getElementById('own').value")
    np.testing.assert_allclose(list(bytes.fromhex(picked[1:])), (40, 60, 200), atol=6)  # through a JPEG
    browser.eval("document.getElementById('exemplar-stage').focus()")
    browser.press("ArrowRight", modifiers=8)
    browser.press("Enter")
    picked = browser.eval("document.getElementById('own').value")
    np.testing.assert_allclose(list(bytes.fromhex(picked[1:])), (200, 60, 40), atol=6)
    stroke(browser, (0.8, 0.9))
    colored(browser, 1, like=True)
    assert pixel(browser, 0.8, 0.9)[0] > 20
    assert browser.problems == []


def test_like_another_photograph(browser, server, classifier, tmp_path):
    """The picture takes the colors of a photograph that is dropped, also in the download and after a reload."""
    photo = skimage.data.coffee()
    write_picture(tmp_path / "right.png", photo[:, 300:].mean(axis=2).astype(np.uint8))
    write_picture(tmp_path / "left.png", photo[:, :300])
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.choose(tmp_path / "right.png")
    colored(browser)
    before = pixel(browser, 0.8, 0.9)
    left, top, width, height = browser.box("#exemplar-card")
    browser.drop(tmp_path / "left.png", left + width / 2, top + height / 2)
    colored(browser, like=True)
    after = pixel(browser, 0.8, 0.9)
    assert np.linalg.norm(after - before) > 6
    browser.eval("document.getElementById('like').click()")
    colored(browser)
    np.testing.assert_array_equal(pixel(browser, 0.8, 0.9), before)
    browser.eval("document.getElementById('like').click()")
    colored(browser, like=True)
    browser.eval("document.getElementById('download').click()")
    result = read_picture(downloaded(browser, "right-colored.png"))
    wanted = classifier.predict(tmp_path / "right.png", like=tmp_path / "left.png")
    assert np.abs(result.astype(int) - wanted).mean() < 2  # the page sends a JPEG of the other photograph
    assert np.abs(result.astype(int) - classifier.predict(tmp_path / "right.png")).mean() > 4
    browser.call("Page.reload")
    browser.until("document.querySelectorAll('#samples img').length > 4")
    colored(browser, like=True)
    np.testing.assert_array_equal(pixel(browser, 0.8, 0.9), after)
    assert browser.problems == []


def test_by_keyboard_alone(browser, server):
    """Tab and Enter choose a sample; arrows and Enter place a color, Delete removes it; sliders move by arrows."""
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    browser.press("Tab")
    assert browser.eval(FOCUS) == "file"
    browser.press("Tab", "Enter")
    colored(browser)
    assert browser.eval(FOCUS) == "stage"
    browser.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert browser.eval(STATUS) == "52 % from the left, 51 % from the top."
    browser.press("ArrowLeft", modifiers=8)
    assert browser.eval(STATUS).startswith("42 %")
    browser.press("Enter")
    colored(browser, 1)
    browser.press("ArrowUp", " ")
    colored(browser, 2)
    browser.press("Delete")
    browser.until("document.querySelectorAll('#spots li').length == 1")
    browser.press("Tab")
    assert browser.eval(FOCUS) == "compare"
    browser.press("End")
    assert browser.eval("getComputedStyle(document.getElementById('after')).clipPath").endswith("100%)")
    for name in ("undo", "smaller", "larger", "whole", "saturation"):
        browser.press("Tab")
        assert browser.eval(FOCUS) == name
    browser.press("Home")
    colored(browser, 1)
    browser.press("Tab")
    assert browser.eval("document.activeElement.value") == "color"
    browser.press("Tab", "ArrowRight")
    assert browser.eval("document.querySelector('#colors input:checked').value") == "Red"
    browser.press("Tab", "Tab")
    assert browser.eval("document.activeElement.getAttribute('aria-label')").startswith("Remove Skin at")
    browser.press("Enter")
    colored(browser)
    assert browser.eval(FOCUS) == "stage"
    assert browser.problems == []


def test_everything_that_takes_the_focus_has_a_name(browser, server):
    """A screen reader gets a role and a name for all of it, and the messages as live regions."""
    browser.size(1280, 900)
    browser.go(f"http://127.0.0.1:{server.port}/")
    for step in range(2):
        nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        found = {}
        for node in nodes:
            focusable = any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", ()))
            role = node["role"]["value"]
            if focusable and role != "RootWebArea":
                assert node["name"]["value"], node
                found[role] = found.get(role, 0) + 1
        if step == 0:
            assert found["button"] == 6  # the file and five samples
            browser.eval("document.querySelector('#samples button').click()")
            colored(browser)
    assert found["slider"] == 3
    assert found["radio"] == 17
    assert found["application"] == 1
    assert browser.eval("document.getElementById('status').getAttribute('aria-live')") == "polite"
    assert browser.eval("document.getElementById('problem').getAttribute('role')") == "alert"


def test_a_dropped_file_and_what_is_wrong_with_others(browser, serving, small, tmp_path, old):
    """A damaged file, a large one and what is none are refused in words; a good one that is dropped is colored."""
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    write_picture(tmp_path / "wide.png", np.zeros((1000, 9000), np.uint8))
    (tmp_path / "large.png").write_bytes(bytes(3 << 20))
    with serving(small, limits=Limits(size=2 << 20, pixels=7_000_000)) as server:
        browser.size(1280, 900)
        browser.go(f"http://127.0.0.1:{server.port}/")
        for name, message in [
            ("damaged.png", "cannot be decoded"),
            ("wide.png", "expected at most 7,000,000 pixels, got 9000 x 1000"),
            ("large.png", "at most 2 MB, got 3 MB"),
        ]:
            browser.drop(tmp_path / name)
            browser.until(f"({PROBLEM}).includes('{message}')")
            assert browser.eval("document.getElementById('work').hidden")
        browser.drop(old)
        colored(browser)
        assert browser.eval(PROBLEM) == ""
        assert browser.eval("document.getElementById('hints').hidden")  # this model takes none


def test_a_full_server_is_waited_for(browser, serving, small, tmp_path):
    """The page says that it waits, and that the server is full, comes again, and is done when there is a place."""
    slow = Slow(small, tmp_path)
    file = io.BytesIO()
    Image.new("L", (50, 40), 90).save(file, "PNG")

    def waiting(server, count):
        end = time.monotonic() + 20
        while json.loads(server.ask("GET", "/health").body)["waiting"] != count:
            assert time.monotonic() < end
            time.sleep(0.02)

    with serving(slow, limits=Limits(workers=1, waiting=1)) as server, ThreadPoolExecutor(2) as pool:
        try:
            browser.size(390, 844)
            browser.go(f"http://127.0.0.1:{server.port}/")
            first = pool.submit(server.color, file.getvalue())
            browser.until("fetch('health').then(r => r.json()).then(h => h.coloring == 1)")
            browser.eval("document.querySelector('#samples button').click()")
            shown = "[...document.querySelectorAll('[role=status]')].filter((e) => e.offsetParent)[0].textContent"
            browser.until(f"{shown} == 'Waiting: 1 other picture is here, too.'")
            browser.eval("document.getElementById('another').click()")
            waiting(server, 0)  # the picture that nobody wants any more has left the queue
            second = pool.submit(server.color, file.getvalue())
            waiting(server, 1)
            browser.eval("document.querySelector('#samples button').click()")
            browser.until(f"{shown}.startsWith('The server is full. Trying again in')")
            slow.release()
            colored(browser)
            assert first.result().status == second.result().status == 200
        finally:
            slow.release()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_wider_than_the_window(browser, server, width):
    """No page scrolls sideways, before and after a picture is chosen."""
    browser.size(width, 800)
    browser.go(f"http://127.0.0.1:{server.port}/")
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert browser.eval(fits)
    browser.eval("document.querySelector('#samples button').click()")
    colored(browser)
    assert browser.eval(fits)


def test_the_slider_of_a_notebook_moves(browser, tmp_path):
    """What compare gives to a notebook works in a browser as it stands."""
    from labcolor import compare

    html = compare(np.full((60, 80), 90, np.uint8), np.full((60, 80, 3), (200, 90, 20), np.uint8))._repr_html_()
    path = tmp_path / "cell.html"
    path.write_text(html)
    browser.size(600, 400)
    browser.call("Page.navigate", url=path.as_uri())
    browser.until("document.querySelectorAll('img').length == 2")
    clip = "getComputedStyle(document.querySelectorAll('img')[1]).clipPath"
    assert browser.eval(clip).endswith("50%)")
    browser.eval("document.querySelector('input').focus()")
    browser.press("ArrowRight")
    assert browser.eval(clip).endswith("51%)")
