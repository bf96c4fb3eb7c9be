"""A core in a second: takes the job as the real one does, copies the plate, fails as its environment says."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path


def main() -> int:
    if sys.argv[1] == "review":
        Path("asked").write_text(" ".join(sys.argv[1:]), "utf-8")
        return 0
    if sys.argv[1] in ("probe", "qc"):
        print("a line of a library", file=sys.stderr)
        print(os.environ["FAKE_REPORT"])
        return 9 if sys.argv[1] == "qc" else 0
    assert sys.argv[1:3] == ["render", "--job"], sys.argv
    assert "PYTHONHOME" not in os.environ and os.environ["PYTHONNOUSERSITE"] == "1"
    job = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    first, last = (int(part) for part in job["shot"]["frames"].split("-"))
    cancel = Path(job["run"]["cancel_file"])
    with Path(job["run"]["progress_file"]).open("a", encoding="utf-8") as progress:

        def tell(**event: object) -> None:
            progress.write(json.dumps(event) + "\n")
            progress.flush()

        tell(event="phase", phase="mattes", what="reading mattes", done=3, total=12, elapsed=0.2)
        tell(event="start", total=last - first + 1, done=0, first=first, last=last)
        how = os.environ.get("FAKE_CORE", "")
        if how == "warn":
            tell(event="note", message="The matte jumps on frame 12.", code="matte_jumps")
        if how == "crash":
            print("Fatal: the card has gone", file=sys.stderr)
            return 139
        if how == "busy":
            tell(event="error", message="Another render writes it.", exit_code=7)
            return 7
        for frame in range(first, last + 1):
            while how == "wait" and not cancel.exists():
                time.sleep(0.01)
            while how == "hold" and frame > first and not Path("go").exists():
                time.sleep(0.01)
            if cancel.exists():
                tell(event="error", message=f"Stopped before frame {frame}.", exit_code=130)
                return 130
            number = f"{frame:04d}"
            shutil.copy(
                job["shot"]["plate"].replace("####", number), job["shot"]["output"].replace("####", number)
            )
            tell(
                event="frame",
                frame=frame,
                done=frame - first + 1,
                total=last - first + 1,
                seconds=0.1,
                eta=0.0,
            )
        tell(event="done", done=1, total=1, seconds=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
