"""Files that are no files, and files that are too large."""

from __future__ import annotations

import os

import pytest

from plugin_core.disk.regular import open_regular, read_regular


def test_a_file_and_a_link_to_one(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("file", "link"):
        assert read_regular(tmp_path / name) == b"content"
        with open_regular(tmp_path / name) as stream:
            assert stream.read(3) == b"con"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_nobody_waits_for_a_pipe_and_no_device_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path):
        with pytest.raises(OSError, match="not a file"):
            read_regular(path)


def test_a_file_that_is_too_large_or_not_there(tmp_path):
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate((3 << 20) + 1)
    with pytest.raises(OSError, match="more than 3 MB"):
        read_regular(tmp_path / "large", 3 << 20)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")
