"""Runs the core, the command `cleanplate`, in a process of its own, and understands what it says."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Any, Callable, Dict

from .problem import Cancelled, InpaintError

PATIENCE_SECONDS = 120.0
"""How long a cancelled render may take to save its state before it is ended."""

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

    def forecast(self, job: Path, on_event: Callable[[Event], None], cancelled: Callable[[], bool]) -> Event:
        """Ask what a render would do (`cleanplate render --dry-run`).

        Args:
            job: the job.json, whatever it has done.
            on_event: told each progress event.
            cancelled: asked a few times a second.

        Raises:
            Cancelled: it was stopped.
            InpaintError: it can't be rendered; the reason is the core's own sentence.
        """
        told: list[Event] = []

        def hear(event: Event) -> None:
            on_event(event)
            if event.get("event") == "plan":
                told.append(event)

        try:
            self._run(["render", "--job", str(job), "--dry-run", "--progress", "json"], hear, cancelled, None)
        except InpaintError:
            if cancelled():
                raise Cancelled("Stopped before anything was filled.") from None
            raise
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
            job: the job.json, whatever it has done.
            mode: ``--resume`` or ``--overwrite``.
            on_event: told each progress event.
            cancelled: asked a few times a second.
            cancel_file: the job's; made to stop the render, whatever it is at.

        Raises:
            Cancelled: it was stopped; its state is saved.
            InpaintError: it failed; the reason is the core's own sentence.
        """
        self._run(["render", "--job", str(job), mode, "--progress", "json"], on_event, cancelled, cancel_file)

    def call(self, arguments: list[str], also_fine: int = 0) -> str:
        """Run any other command and return what it printed.

        Raises InpaintError with its reason, unless it ends with 0 or `also_fine`.
        """
        lines: list[str] = []
        self._run(
            arguments, lambda event: lines.append(str(event.get("text", ""))), lambda: False, None, also_fine
        )
        return "\n".join(lines)

    def _run(
        self,
        arguments: list[str],
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
        cancel_file: Path | None,
        also_fine: int = 0,
    ) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8", errors="replace") as log:
            log.write(
                "\n{} {}\n".format(time.strftime("%Y-%m-%d %H:%M:%S"), " ".join(self.command + arguments))
            )
            log.flush()
            process = self._start(arguments)
            error, complaint = self._listen(process, _Log(log), on_event, cancelled, cancel_file)
        if process.returncode not in (0, also_fine):
            self._fail(process.returncode, error, complaint)

    def _start(self, arguments: list[str]) -> subprocess.Popen[str]:
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            return subprocess.Popen(
                self.command + arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
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
        log: _Log,
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
        cancel_file: Path | None,
    ) -> tuple[str, str]:
        """Pass events on until the process has ended.

        Returns:
            The core's own last error, and the last line of its error stream; empty where there is none.
        """
        lines = _Lines(process)
        complaints = _Complaints(process, log)
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
            complaints.close()
        return error, complaints.last

    def _fail(self, code: int, error: str, complaint: str) -> None:
        if code in _STOPPED:
            raise Cancelled(error or "Stopped.")
        reason = error or complaint or f"The core ended unexpectedly (exit code {code})."
        raise InpaintError(reason, str(self.log))


class _Log:
    """A log that two threads write whole lines to."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        with self._lock:
            self._stream.write(line if line.endswith("\n") else line + "\n")
            self._stream.flush()


class _Reader:
    """Reads one of a process's streams, line by line, in a thread of its own."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._thread = threading.Thread(target=self._read, name="cleanplate reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._thread.join(5)
        # Something that the core started may still hold the stream: then closing would wait for that.
        if not self._thread.is_alive():
            self._stream.close()

    def _read(self) -> None:
        raise NotImplementedError


class _Lines(_Reader):
    """Lines of a process's output, without waiting for one longer than a moment."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._queue: queue.Queue[str | None] = queue.Queue()
        super().__init__(process.stdout)

    def next(self) -> str | None:
        """Return the next line, an empty one when none came for a moment, None after the last."""
        try:
            return self._queue.get(timeout=0.1)
        except queue.Empty:
            return ""

    def _read(self) -> None:
        for line in self._stream:
            self._queue.put(line)
        self._queue.put(None)


class _Complaints(_Reader):
    """What a process says on its error stream, written to the log line by line.

    The process does not write there itself: half a line of its would run into an event's.
    """

    def __init__(self, process: subprocess.Popen[str], log: _Log) -> None:
        self.last = ""
        self._log = log
        super().__init__(process.stderr)

    def _read(self) -> None:
        for line in self._stream:
            if line.strip():
                self.last = _without_name(line.strip())
            # Reading goes on where the log can't be written: a full pipe would hold the process up.
            with contextlib.suppress(OSError, ValueError):
                self._log.write(line)


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


def _without_name(line: str) -> str:
    return line[len("cleanplate: ") :] if line.startswith("cleanplate: ") else line
