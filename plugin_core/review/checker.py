"""What looks at the result of a job: each kind of job has its own."""

from __future__ import annotations

from ..errors import InputError, SettingsError
from ..job.job import Job
from ..qc.check import USUAL, Checker, Checking
from ..qc.pictures import QcShot
from ..qc.report import Limits


def checker_of(job: Job, limits: Limits = USUAL, truth: str | None = None) -> Checker:
    """Return what looks at a job's result, frame after frame, and judges it.

    Args:
        job: as it was run.
        limits: what passes, of a render.
        truth: clip of a true clean plate to hold a render against, or None.

    Raises:
        SettingsError: there is a true clean plate, and the job is no render.
        InputError: the job is to detect; see `refuse_mattes`.
        CleanplateError: what it was made of can't be opened.
    """
    refuse_mattes(job)
    if job.do == "render":
        return Checking(QcShot(job, truth), limits)
    if truth is not None:
        raise SettingsError(f"A true clean plate is for renders; this job is to {job.do}: leave --truth out.")
    if job.do == "retarget":
        from ..retarget.check import RetargetedChecker, RetargetedPictures

        return RetargetedChecker(RetargetedPictures(job))
    from ..restore.check import RestoredChecker, RestoredPictures

    return RestoredChecker(RestoredPictures(job))


def refuse_mattes(job: Job) -> None:
    """Raise InputError for a job that writes mattes: they have nothing to be held against."""
    if job.do == "detect":
        raise InputError(
            "Mattes of damage have nothing to be held against; look at the sheets that --review FOLDER has "
            "detect write."
        )
