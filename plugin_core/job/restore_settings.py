"""What a restoration looks for, and how it repairs it: fields of a job, declared as those in `settings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .about import About
from .strict import Strict


class Restore(Strict):
    """What film damage is, and what becomes of it."""

    kinds: Annotated[
        Literal["dirt", "scratches", "all"],
        About(
            "Damage that is looked for.",
            label="damage",
            group="damage",
            level="basic",
            brief="dirt, scratches or all",
            choices={
                "dirt": "dust, dirt, hairs and blotches on single frames",
                "scratches": "vertical lines that run through many frames",
                "all": "both",
            },
        ),
    ] = "all"
    sensitivity: Annotated[
        float,
        About(
            "How much is taken for damage: 0 finds next to nothing, 1 all that may be damage.",
            label="sensitivity",
            group="damage",
            level="basic",
            brief="0 to 1: how much is taken for damage",
            metavar="V",
        ),
    ] = Field(0.5, ge=0, le=1)
    protect: Annotated[
        str | None,
        About(
            "What is never damage, in white: lamps, sparks, rain, faces. A sequence, folder, movie or still "
            "like the matte's.",
            label="protect matte",
            group="damage",
            level="basic",
            brief="a matte of what is never damage, in white",
            metavar="M",
            unset="none",
            path=True,
        ),
    ] = Field(None, min_length=1)
    polarity: Annotated[
        Literal["white", "black", "both"],
        About(
            "Which damage is looked for, by its brightness.",
            label="polarity",
            group="damage",
            choices={
                "white": "brighter than the picture: dirt on the negative",
                "black": "darker: dirt on the print",
                "both": "either",
            },
        ),
    ] = "both"
    contrast: Annotated[
        float,
        About(
            "Levels of 255 by which damage differs from what should be there, at least.",
            label="contrast",
            group="damage",
            metavar="L",
            unit="levels",
        ),
    ] = Field(10, ge=4, le=200)
    smallest: Annotated[
        int,
        About("Pixels that a piece of dirt has at least.", label="smallest", group="damage", metavar="PX"),
    ] = Field(2, ge=1, le=1_000_000)
    largest: Annotated[
        int | None,
        About(
            "Pixels that a piece of dirt has at most: spares lamps and balls.",
            label="largest",
            group="damage",
            metavar="PX",
            unset="any number",
        ),
    ] = Field(None, ge=1, le=100_000_000)
    repair_grain: Annotated[
        Literal["auto", "off"],
        About(
            "Whether repairs get the plate's grain.",
            label="grain of repairs",
            group="damage",
            choices={"auto": "where they lack it", "off": "never"},
        ),
    ] = "auto"
    finds: Annotated[
        str | None,
        About(
            "An edited list of finds, from an earlier run's --review: what it holds is damage, and nothing "
            "else.",
            label="list of finds",
            group="damage",
            level="basic",
            brief="repair what this edited list holds, and no more",
            metavar="JSON",
            unset="all that is found",
            path=True,
        ),
    ] = Field(None, min_length=1)
    review: Annotated[
        str | None,
        About(
            "Write every find into this folder: sheets to look at, and a list to edit and give back.",
            label="sheets of finds",
            group="damage",
            level="basic",
            brief="write every find there: sheets, and a list to edit",
            metavar="DIR",
            unset="none",
            path=True,
        ),
    ] = Field(None, min_length=1)
