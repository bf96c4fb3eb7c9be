"""What a render has read: noted once, and remembered as long as later steps read it again."""

from __future__ import annotations

from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.state.input_log import InputLog, Prints, input_digest
from plugin_core.state.journal import Entry


def prints(*frames: int) -> Prints:
    return {
        frame: {"plate": Fingerprint(1, 2, f"p{frame}"), "matte": Fingerprint(1, 2, f"m{frame}")}
        for frame in frames
    }


def test_what_was_read_is_noted_once_with_the_next_frame():
    log = InputLog(reach=3)
    log.add(1, prints(1, 2))
    log.add(2, prints(5))
    assert log.take_unnoted() == prints(1, 2, 5)
    assert log.take_unnoted() == {}
    log.add(3, prints(6))
    assert log.take_unnoted() == prints(6)


def test_the_state_names_what_later_steps_may_read_again():
    log = InputLog(reach=3)
    for frame in range(1, 11):
        log.add(frame, prints(frame))
    assert list(log.digests) == [7, 8, 9, 10]
    assert log.digests[8] == input_digest(prints(8)[8])


def test_a_resumed_render_remembers_what_its_state_was_made_with():
    log = InputLog(reach=3)
    output = Fingerprint(1, 2, "")
    entries = [Entry(frame, output, prints(frame), {}) for frame in range(1, 11)]
    log.recall({2: "handed in"}, entries, start=9)
    assert set(log.digests) == {2, 5, 6, 7, 8} and log.digests[2] == "handed in"
    assert log.take_unnoted() == {}, "the journal has these already"


def test_a_digest_is_that_of_the_contents_wherever_the_files_lie():
    one, other = prints(1)[1], {"matte": Fingerprint(9, 9, "m1"), "plate": Fingerprint(9, 9, "p1")}
    assert input_digest(one) == input_digest(other) != input_digest(prints(2)[2])
