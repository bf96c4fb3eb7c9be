"""Runs the core, the command `cleanplate`, in a process of its own, and understands what it says."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Any, Callable, Dict

from .problem import Cancelled, InpaintError

PATIENCE_SECONDS = 120.0
"""How long a cancelled render may take to finish its frame and save its state before it is ended."""

_STOPPED = (130, 143)

Event = Dict[str, Any]


class Core:
    """The core, for one node's renders.

    Args:
        command: from `find_command`.
        env: from `environment`.
        log: file that everything the core says is appended to.
    """

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.command = command
        self.env = env
        self.log = log

    def forecast(self, job: Path) -> Event:
        """Ask what a render would do (`cleanplate render --dry-run`). Raises InpaintError with its reason."""
        told: list[Event] = []
        self._run(
            ["render", "--job", str(job), "--dry-run", "--progress", "json"], told.append, lambda: False, None
        )
        if not told:
            raise InpaintError("The core did not say what it would render.", str(self.log))
        return told[-1]

    def render(
        self,
        job: Path,
        mode: str,
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
        cancel_file: Path,
    ) -> None:
        """Render a job to its end.

        Args:
            job: the job.json.
            mode: ``--resume`` or ``--overwrite``.
            on_event: told each progress event.
            cancelled: asked a few times a second.
            cancel_file: the job's; made to stop the render after the frame it is at.

        Raises:
            Cancelled: it was stopped; its state is saved.
            InpaintError: it failed; the reason is the core's own sentence.
        """
        self._run(["render", "--job", str(job), mode, "--progress", "json"], on_event, cancelled, cancel_file)

    def call(self, arguments: list[str]) -> str:
        """Run any other command and return what it printed. Raises InpaintError with its reason."""
        lines: list[str] = []
        self._run(arguments, lambda event: lines.append(str(event.get("text", ""))), lambda: False, None)
        return "\n".join(lines)

    def _run(
        self,
        arguments: list[str],
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
        cancel_file: Path | None,
    ) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8", errors="replace") as log:
            log.write(
                "\n{} {}\n".format(time.strftime("%Y-%m-%d %H:%M:%S"), " ".join(self.command + arguments))
            )
            log.flush()
            said = log.tell()
            process = self._start(arguments, log)
            error = self._listen(process, log, on_event, cancelled, cancel_file)
        if process.returncode:
            self._fail(process.returncode, error, said)

    def _start(self, arguments: list[str], log: IO[str]) -> subprocess.Popen[str]:
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            return subprocess.Popen(
                self.command + arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                encoding="utf-8",
                errors="replace",
                creationflags=flags,
            )
        except OSError as error:
            raise InpaintError(
                f"{self.command[0]} can't be started: {error.strerror or error}. Check the node's "
                "'cleanplate' knob.",
                str(self.log),
            ) from None

    def _listen(
        self,
        process: subprocess.Popen[str],
        log: IO[str],
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
        cancel_file: Path | None,
    ) -> str:
        """Pass events on until the process has ended; returns the core's own last error, or nothing."""
        lines = _Lines(process)
        error = ""
        deadline: float | None = None
        try:
            while True:
                line = lines.next()
                if line is None:
                    break
                event = _event(line)
                if event.get("event") == "error":
                    error = str(event.get("message", ""))
                if event:
                    log.write(line)
                    log.flush()
                    on_event(event)
                if deadline is None and cancelled():
                    deadline = time.monotonic() + PATIENCE_SECONDS
                    _ask_to_stop(process, cancel_file)
                if deadline is not None and time.monotonic() > deadline:
                    process.kill()
        except KeyboardInterrupt:
            _ask_to_stop(process, cancel_file)
            _wait_patiently(process)
            raise
        except BaseException:
            # Whatever goes wrong here must not leave a render behind.
            process.kill()
            raise
        finally:
            process.wait()
            lines.close()
        return error

    def _fail(self, code: int, error: str, said: int) -> None:
        if code in _STOPPED:
            raise Cancelled(error or "Stopped.")
        reason = error or _last_line(self.log, said)
        if not reason:
            reason = f"The core ended unexpectedly (exit code {code})."
        raise InpaintError(reason, str(self.log))


class _Lines:
    """Lines of a process's output, without waiting for one longer than a moment."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._stream = process.stdout
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, name="cleanplate output", daemon=True)
        self._thread.start()

    def next(self) -> str | None:
        """Return the next line, an empty one when none came for a moment, None after the last."""
        try:
            return self._queue.get(timeout=0.1)
        except queue.Empty:
            return ""

    def close(self) -> None:
        self._thread.join(5)
        self._stream.close()

    def _read(self) -> None:
        for line in self._stream:
            self._queue.put(line)
        self._queue.put(None)


def _event(line: str) -> Event:
    """Return a line's event; one that holds the text where it is no event; an empty one for an empty line."""
    if not line.strip():
        return {}
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return (
        event
        if isinstance(event, dict) and "event" in event
        else {"event": "text", "text": line.rstrip("\n")}
    )


def _ask_to_stop(process: subprocess.Popen[str], cancel_file: Path | None) -> None:
    if cancel_file is None:
        process.terminate()
    else:
        cancel_file.touch()


def _wait_patiently(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(PATIENCE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()


def _last_line(log: Path, begin: int) -> str:
    """Return the last thing the core said on its error stream, without its name before it."""
    with log.open("rb") as stream:
        stream.seek(begin)
        lines = stream.read().decode("utf-8", "replace").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("{")]
    last = told[-1].strip() if told else ""
    return last[len("cleanplate: ") :] if last.startswith("cleanplate: ") else last
