"""One plain line for each event of a render."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


def noted(event: Event) -> str:
    """Return a note as one line; one with a code is a warning."""
    return f"{'warning' if event.get('code') else 'note'}: {event['message']}"


def plain(event: Event) -> str:
    """Return an event as one line; empty for an error, which whoever ends the process prints."""
    if event["event"] == "start":
        there = f", {event['done']} of {event['total']} are there" if event["done"] else ""
        return f"rendering frames {event['first']}-{event['last']}{there}"
    if event["event"] == "phase":
        return f"{event['what']} {event['done']}/{event['total']}" if event["total"] else f"{event['what']}"
    if event["event"] == "frame":
        return (
            f"frame {event['frame']}  {event['done']}/{event['total']}  "
            f"{event['seconds']:.2f} s  {event['eta']:.0f} s left"
        )
    if event["event"] == "heartbeat":
        after = "preparing" if event["frame"] is None else f"at work after frame {event['frame']}"
        return f"still {after}, {event['seconds']:.0f} s"
    if event["event"] == "note":
        return noted(event)
    if event["event"] == "origins":
        return f"holes: {event['message']}"
    if event["event"] == "done":
        where = f": {event['output']}" if event.get("output") else ""
        return f"done: {event['total']} frames in {event['seconds']:.1f} s{where}"
    return ""
