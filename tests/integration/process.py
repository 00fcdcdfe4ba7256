"""The program under test as a process."""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

BAD = re.compile(r"ERROR: \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")
START_S, STOP_S = 60, 60


class Failed(Exception):
    pass


class Controller:
    """`sluice controller` with its log in a file. A sanitizer's report, or an exit status that was not asked for, is a failure."""

    def __init__(self, binary, kubeconfig, log, *arguments):
        self.argv = [str(binary), "controller", "--kubeconfig", str(kubeconfig), *map(str, arguments)]
        self.log = pathlib.Path(log)
        self.process = None
        self.begin = 0  # where in the log this run begins
        self.lock = threading.Lock()

    def start(self, wait=True):
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
                           UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99")
        environment.pop("KUBECONFIG", None)
        with open(self.log, "ab") as f:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, env=environment, start_new_session=True)
        if wait:
            self.wait_for("leading as")
        return self

    def text(self):
        with open(self.log, "rb") as f:
            f.seek(self.begin)
            return f.read().decode(errors="replace")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_for(self, word, seconds=START_S):
        """Until the log of this run holds the word."""
        end = time.monotonic() + seconds
        while word not in self.text():
            if not self.alive():
                raise Failed(f"the controller ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise Failed(f"the controller did not say {word!r} in {seconds} s:\n{self.tail()}")
            time.sleep(0.05)

    def wait_end(self, seconds=STOP_S):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the controller did not end in {seconds} s:\n{self.tail()}") from None

    def stop(self, number=signal.SIGTERM):
        """Asks it to end: 0 is what it must say."""
        if not self.process:
            return
        if self.alive():
            self.process.send_signal(number)
        status = self.wait_end()
        self.check()
        if status:
            raise Failed(f"the controller ended with {status} after signal {number}:\n{self.tail()}")

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()
        self.check()

    def check(self):
        bad = BAD.search(self.text())
        if bad:
            raise Failed(f"{self.log}:\n" + self.text()[bad.start():bad.start() + 4000])

    def tail(self, lines=15):
        return "\n".join(self.text().splitlines()[-lines:])


class Supervisor:
    """A controller that is started again whenever it ends, as a kubelet would. Ending with 1 (the Lease is lost) is how it should be; any other
    status is a failure that alive() and stop() tell."""

    def __init__(self, controller):
        self.controller = controller
        self.starts = 0
        self.wrong = None
        self.ending = False
        self.lock = threading.RLock()
        self.thread = None

    def start(self):
        self.again()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def again(self):
        self.controller.start(wait=False)
        self.starts += 1

    def watch(self):
        while not self.ending:
            with self.lock:
                if not self.ending and not self.controller.alive():
                    status = self.controller.process.returncode
                    try:
                        self.controller.check()
                    except Failed as e:
                        self.wrong = self.wrong or str(e)
                    if status != 1:
                        self.wrong = self.wrong or f"the controller ended with {status}:\n{self.controller.tail(40)}"
                    self.again()
            time.sleep(0.1)

    def kill(self):
        """kill -9, and a new one at once."""
        with self.lock:
            self.controller.kill()
            self.again()

    def send(self, number):
        with self.lock:
            self.controller.process.send_signal(number)

    def alive(self):
        if self.wrong:
            raise Failed(self.wrong)

    def leads(self):
        return "leading as" in self.controller.text()

    def end(self):
        """It is not started again."""
        with self.lock:
            self.ending = True
        self.thread.join()

    def stop(self):
        self.end()
        self.controller.stop()
        self.alive()
