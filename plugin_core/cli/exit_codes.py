"""What the command's exit codes mean, as its help says it."""

from __future__ import annotations

EXIT_CODES = """\
exit codes:
  0    done
  1    a bug: please report it with the lines printed
  2    bad usage or input: a wrong option, a file that can't be read, sizes that differ
  3    missing frames in plate or matte
  4    a model or state that is damaged or does not fit
  5    the device is not there or out of memory
  6    the output can't be written: no permission, disk full, mount gone
  7    another render is writing the same output
  8    some shots of a batch failed; its summary says which and why
  9    qc found faults
  130  interrupted, or stopped by the cancel file; the state is saved, go on with --resume
  143  terminated; the state is saved, go on with --resume
"""
