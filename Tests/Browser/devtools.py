"""A headless Chromium, driven over the pipe of its DevTools protocol. Standard library only."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Browser:
    """A browser with a page. Use it in a with statement; leaving it ends the browser."""

    def __init__(self, executable="chromium"):
        path = shutil.which(executable)
        if path is None:
            raise FileNotFoundError(f"{executable} is not installed")
        self._profile = tempfile.mkdtemp(prefix="ipitrace-browser-")
        ours_to_read, theirs_to_write = (self._high(fd) for fd in os.pipe())
        theirs_to_read, ours_to_write = (self._high(fd) for fd in os.pipe())

        def hand_over():
            # The protocol wants to be read from descriptor 3 and written to descriptor 4.
            os.dup2(theirs_to_read, 3)
            os.dup2(theirs_to_write, 4)

        self._process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-pipe", f"--user-data-dir={self._profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(3, 4), preexec_fn=hand_over)
        os.close(theirs_to_read)
        os.close(theirs_to_write)
        self._read, self._write = ours_to_read, ours_to_write
        self._buffer = b""
        self._next = 0
        self._session = None
        self.events = []

    @staticmethod
    def _high(descriptor):
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(descriptor)
        return moved

    def __enter__(self):
        try:
            page = next(target for target in self.send("Target.getTargets")["targetInfos"] if target["type"] == "page")
            self._attach(page["targetId"])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _attach(self, target):
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")

    @contextlib.contextmanager
    def window(self):
        """A page of its own, as if the browser had just been started, in place of the one that there is."""
        before, self._session = self._session, None
        context = self.send("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        try:
            self._attach(self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"])
            self.send("Page.bringToFront")
            yield self
        finally:
            self._session = None
            self.send("Target.disposeBrowserContext", browserContextId=context)
            self._session = before

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)
        shutil.rmtree(self._profile, ignore_errors=True)

    def send(self, method, **parameters):
        """Sends a command and waits for its answer. Events that come meanwhile are kept in `events`."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(30)
            if answer is None:
                raise TimeoutError(f"no answer to {method}")
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _receive(self, timeout):
        """The next message, or None when none comes in time. Events are also added to `events`."""
        end = time.monotonic() + timeout
        while b"\0" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                return None
            data = os.read(self._read, 1 << 20)
            if not data:
                raise ConnectionError("the browser ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            self.events.append(message)
            # A dialog stops the page, and every later command with it.
            if message["method"] == "Page.javascriptDialogOpening":
                self.events.append(message)
                self._next += 1
                accept = {"id": self._next, "method": "Page.handleJavaScriptDialog", "params": {"accept": False},
                          "sessionId": self._session}
                os.write(self._write, json.dumps(accept).encode() + b"\0")
        return message

    def navigate(self, url, quiet=0.3):
        """Loads a page and waits until it is loaded, and for some seconds more that it may become quiet in."""
        self.events.clear()
        result = self.send("Page.navigate", url=url)
        if "errorText" in result:
            raise RuntimeError(f"{url}: {result['errorText']}")
        end = time.monotonic() + 60
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            if time.monotonic() > end:
                raise TimeoutError(f"{url} did not load")
            self._receive(1)
        self.settle(quiet)

    def settle(self, seconds):
        """Takes what the page still has to say."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._receive(left)

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page, through JSON."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return result["result"].get("value")

    def press(self, key, code=None, text=None, virtual=0):
        """Presses and releases a key."""
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": virtual}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)
