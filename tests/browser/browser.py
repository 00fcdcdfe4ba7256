"""A headless Chromium, spoken to over a pipe: the DevTools protocol, NUL-terminated JSON on file descriptors 3 and 4. No other packages."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find():
    """The program, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Trouble(Exception):
    pass


class Browser:
    def __init__(self, program, timeout=60):
        self.profile = tempfile.mkdtemp(prefix="browser-")
        self.timeout, self.number, self.buffer, self.events = timeout, 0, b"", []
        command_read, self.command = os.pipe()
        self.answer, answer_write = os.pipe()

        def descriptors():
            a, b = os.dup(command_read), os.dup(answer_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--lang=en-US",
             "--force-color-profile=srgb", f"--user-data-dir={self.profile}"],
            preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command_read)
        os.close(answer_write)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def _receive(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answer], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self.answer, 1 << 20) if ready else b""
            if not part:
                raise Trouble("the browser does not answer")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.command, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self._receive(deadline)
            if "method" in answer:
                self.events.append(answer)
            elif answer.get("id") == self.number:
                if "error" in answer:
                    raise Trouble(f"{method}: {answer['error']}")
                return answer["result"]

    def wait_for(self, method):
        """Until such an event has come since the last open()."""
        deadline = time.monotonic() + self.timeout
        while not any(e["method"] == method for e in self.events):
            answer = self._receive(deadline)
            if "method" in answer:
                self.events.append(answer)

    def open(self, url):
        self.events = []
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise Trouble(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def becomes(self, expression, want):
        """Whether it has that value, soon: what a key sets going need not be done at once."""
        deadline = time.monotonic() + 5
        while self.value(expression) != want:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, media="", scheme="light"):
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, clip=None, whole=False):
        params = {"format": "png", "captureBeyondViewport": whole or clip is not None}
        if clip:
            params["clip"] = {**clip, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", **params)["data"])

    def key(self, key, shift=False):
        codes = {"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}
        params = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key], "modifiers": 8 if shift else 0}
        text = {"Enter": "\r", " ": " "}.get(key)
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **params, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def complaints(self):
        """What went to the console or was thrown, and what was asked for beside the page itself, since the last open()."""
        found, requests = [], 0
        for e in self.events:
            p = e.get("params", {})
            if e["method"] == "Runtime.exceptionThrown":
                found.append("thrown: " + json.dumps(p["exceptionDetails"])[:300])
            elif e["method"] == "Runtime.consoleAPICalled":
                found.append("console: " + json.dumps(p["args"])[:300])
            elif e["method"] == "Log.entryAdded":
                found.append("log: " + p["entry"]["text"][:300])
            elif e["method"] == "Page.javascriptDialogOpening":
                found.append("dialog: " + p["message"])
            elif e["method"] == "Network.requestWillBeSent":
                requests += 1
                if requests > 1:
                    found.append("request: " + p["request"]["url"][:300])
        return found

    def close(self):
        try:
            self.session = None
            os.write(self.command, b'{"id":0,"method":"Browser.close"}\0')
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.command)
        os.close(self.answer)
        shutil.rmtree(self.profile, ignore_errors=True)
