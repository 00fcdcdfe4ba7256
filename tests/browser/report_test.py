#!/usr/bin/env python3
"""The page of `sluice replay --report` in a real browser, opened from disk: the console stays empty, nothing is asked of a network, light and
dark differ and show what they should, all of it can be reached by keyboard, it works without script, and it prints. Exit status 77 when
there is no Chromium.

report_test.py SLUICE ROOT           runs it
report_test.py SLUICE ROOT --keep DIR   also leaves page and screenshots there
report_test.py SLUICE ROOT --write   writes report.thumbnail anew: what the page looks like, coarsely
"""
import base64
import os
import shutil
import subprocess
import sys
import tempfile

import browser
import png

HERE = os.path.dirname(os.path.abspath(__file__))
THUMBNAIL = os.path.join(HERE, "report.thumbnail")
WIDTH, HEIGHT, CELLS = 1280, 900, (32, 24)
# The name of a file of queues has markup in it: were it taken for markup, the console would tell.
POLICIES = {"fixed": "fixed.yaml", "borrowing": "borrowing.yaml", "reclaim": "<img src=x onerror=alert(1)>.yaml"}
failures = []


def check(what, good):
    if not good:
        failures.append(what)


def make_page(sluice, root, tmp):
    def run(*args):
        p = subprocess.run([sluice, "replay", *args], capture_output=True, text=True, cwd=tmp, timeout=120)
        if p.returncode:
            raise SystemExit(f"sluice replay {args}: {p.stderr}")
        return p.stdout

    shutil.copy(os.path.join(root, "tests/cli/replay/jobs.csv"), tmp)
    queues = []
    for policy, name in POLICIES.items():
        made = run("jobs.csv", "--init", "--capacity", "24", "--policy", policy, "--mapping", "mapping.yaml")
        with open(os.path.join(tmp, name), "w") as f:
            f.write(made)
        queues += ["-q", name]
    run("jobs.csv", *queues, "-m", "mapping.yaml", "--skip-impossible", "--report", "report.html")
    return "file://" + os.path.join(tmp, "report.html")


# ---- how it looks ---------------------------------------------------------------------------------------------------------------------------

def thumbnail(picture):
    """Brightness of each cell, 0 to 255."""
    across, down = CELLS
    cells = []
    for cy in range(down):
        for cx in range(across):
            total = count = 0
            for y in range(cy * picture.height // down, (cy + 1) * picture.height // down, 3):
                for x in range(cx * picture.width // across, (cx + 1) * picture.width // across, 3):
                    total += sum(picture.pixel(x, y))
                    count += 3
            cells.append(total // max(count, 1))
    return cells


def near(a, b, most=40):
    return all(abs(x - y) <= most for x, y in zip(a, b))


def share_of(picture, color):
    """How much of it has a color, near enough."""
    hits = sum(near(picture.pixel(x, y), color) for y in range(0, picture.height, 2) for x in range(0, picture.width, 2))
    return hits / ((picture.height + 1) // 2 * ((picture.width + 1) // 2))


def box_of(b, selector):
    return b.value(f"""(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();
        return {{x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}}; }})()""")


def color_of(b, name):
    text = b.value(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')").strip()
    return tuple(int(text[i:i + 2], 16) for i in (1, 3, 5))


def compare_thumbnail(cells, write):
    if write:
        with open(THUMBNAIL, "w") as f:
            for y in range(CELLS[1]):
                f.write(" ".join(f"{v:3d}" for v in cells[y * CELLS[0]:(y + 1) * CELLS[0]]) + "\n")
    with open(THUMBNAIL) as f:
        want = [int(v) for v in f.read().split()]
    check("the thumbnail has its size", len(want) == len(cells))
    mean = sum(abs(a - b) for a, b in zip(want, cells)) / len(cells)
    far = sum(abs(a - b) > 80 for a, b in zip(want, cells))
    check(f"it looks as it did: cells differ by {mean:.1f} of 255, {far} by much", mean < 12 and far < len(cells) / 10)


def check_looks(b, url, keep, write):
    pictures = {}
    for scheme in ("light", "dark"):
        b.media(scheme=scheme)
        b.open(url)
        data = b.screenshot()
        picture = pictures[scheme] = png.read(data)
        if keep:
            with open(os.path.join(keep, scheme + ".png"), "wb") as f:
                f.write(data)
        check(f"{scheme}: the screenshot has its size", (picture.width, picture.height) == (WIDTH, HEIGHT))
        paper = color_of(b, "paper")
        check(f"{scheme}: the paper has its color", near(picture.pixel(3, 3), paper, 4) and (sum(paper) > 600) == (scheme == "light"))
        check(f"{scheme}: something stands on it", 0.02 < 1 - share_of(picture, paper) < 0.9)
        for selector, name, least in (("#time svg", "used", 0.2), ("#time svg", "idle", 0.01), ("#time svg", "waiting", 0.005),
                                      ("#loans svg", "lent", 0.005), ("#loans svg", "borrowed", 0.005), ("#waits svg", "p1", 0.0005)):
            part = png.read(b.screenshot(box_of(b, selector)))
            got = share_of(part, color_of(b, name))
            check(f"{scheme}: {selector} shows {name}: {got:.4f}", got >= least)
    check("light and dark differ", sum(pictures["light"].pixel(3, 3)) - sum(pictures["dark"].pixel(3, 3)) > 300)
    compare_thumbnail(thumbnail(pictures["light"]), write)


def check_narrow(b, url):
    b.media()
    b.size(390, 844)
    b.open(url)
    check("on a telephone nothing is wider than the screen", b.value("document.documentElement.scrollWidth") <= 391)
    b.size(WIDTH, HEIGHT)


# ---- how it is used ---------------------------------------------------------------------------------------------------------------------------

ACTIVE = """(() => { const e = document.activeElement;
    return e === document.body ? null : [[...document.querySelectorAll("*")].indexOf(e), (e.id ? "#" + e.id : e.tagName.toLowerCase()) + " " +
        (e.getAttribute("href") || e.className.baseVal || e.textContent.slice(0, 8))]; })()"""
OUTLINE = "(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0; })()"
VISIBLE = "[...document.querySelectorAll('section.queue')].filter((q) => q.checkVisibility()).map((q) => q.id).join()"


def check_keyboard(b, url):
    b.media()
    b.open(url)
    seen, outlined = [], True
    for _ in range(200):
        b.key("Tab")
        stop = b.value(ACTIVE)
        if not stop or stop in seen:
            break
        seen.append(stop)
        outlined = outlined and b.value(OUTLINE)
    check("the first stop skips to the answers", seen and seen[0][1] == "a #answers")
    check("what has the focus is seen to have it", outlined)
    for part in ("a #compare", "a #queues", "#which", "div ", "svg chart over-time", "a #q0", "button Previous", "button Next"):
        check(f"the keyboard reaches {part}", any(s.startswith(part) for _, s in seen))
    reachable = b.value("""[...document.querySelectorAll("a[href], button, select, [tabindex='0']")].filter((e) => e.checkVisibility()).length""")
    check(f"every stop is reached once: {len(seen)} of {reachable}", len(seen) == reachable)
    check("one queue is shown", b.becomes(VISIBLE, "q0"))
    b.value("document.getElementById('which').focus()")
    b.key("ArrowDown")
    check("the next one is chosen by key", b.becomes(VISIBLE, "q1"))
    b.value("[...document.querySelectorAll('#pick button')][1].focus()")
    b.key("Enter")
    check("and by a button", b.becomes(VISIBLE, "q2"))
    b.value("document.querySelector('#waits a[href=\"#q1\"]').focus()")
    b.key("Enter")
    check("and by a link", b.becomes(VISIBLE, "q1") and b.value("location.hash") == "#q1")
    check_reader(b)


def check_reader(b):
    b.value("document.querySelector('#time svg').focus()")
    b.key("Home")
    first = b.value("document.querySelector('#time .read').textContent")
    for _ in range(60):
        b.key("ArrowRight")
    later = b.value("document.querySelector('#time .read').textContent")
    check(f"arrow keys read a chart: {first!r}, {later!r}", "day 0 00:0" in first and " in use" in later and later != first)
    used = float(later.split(": ")[1].split(" in use")[0])
    check("and what it reads is what was held", 0 < used <= 24)
    b.key("Tab")
    check("it stops when the focus goes on", b.value("document.querySelector('#time .read').textContent") == "")


def check_without_script(b, url):
    b.call("Emulation.setScriptExecutionDisabled", value=True)
    b.open(url)
    document = b.call("DOM.getDocument")["root"]["nodeId"]
    nodes = b.call("DOM.querySelectorAll", nodeId=document, selector="section.queue figure")["nodeIds"]
    heights = [b.call("DOM.getBoxModel", nodeId=n)["model"]["height"] for n in nodes]
    check(f"without script all queues are there: {len(nodes)}", len(nodes) == 3 * 4 and all(h > 50 for h in heights))
    check("without script nothing complains", b.complaints() == [])
    b.call("Emulation.setScriptExecutionDisabled", value=False)


def check_print(b, url, keep):
    b.open(url)
    b.media(media="print", scheme="dark")
    check("on paper there is no navigation", not b.value("document.querySelector('nav').checkVisibility()"))
    check("paper is white", color_of(b, "paper") == (255, 255, 255) and color_of(b, "ink") == (0, 0, 0))
    data = base64.b64decode(b.call("Page.printToPDF", printBackground=False)["data"])
    pages = data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") + data.count(b"/Type /Page/")
    check(f"it prints on a few pages: {pages}", data[:5] == b"%PDF-" and 1 < pages < 15 and len(data) > 20_000)
    if keep:
        with open(os.path.join(keep, "report.pdf"), "wb") as f:
            f.write(data)
    b.media()


def main(sluice, root, *rest):
    program = browser.find()
    if not program:
        print("no Chromium (Debian: chromium)")
        return 77
    keep = rest[1] if rest[:1] == ("--keep",) else None
    with tempfile.TemporaryDirectory() as tmp:
        url = make_page(os.path.abspath(sluice), root, keep or tmp)
        try:
            b = browser.Browser(program)
        except (OSError, browser.Trouble) as e:
            print(f"{program} cannot be run: {e}")
            return 77
        try:
            b.size(WIDTH, HEIGHT)
            check_looks(b, url, keep, "--write" in rest)
            check_keyboard(b, url)
            check("the console is empty and nothing is asked for: " + "; ".join(b.complaints()), b.complaints() == [])
            check_narrow(b, url)
            check_without_script(b, url)
            check_print(b, url, keep)
        finally:
            b.close()
    for f in failures:
        print(f)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
