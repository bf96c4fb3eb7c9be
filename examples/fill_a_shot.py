"""Fill one shot in Python, cell by cell: paste it into a notebook, or run it as it is.

    python fill_a_shot.py [PLATE MATTE OUTPUT]

Without arguments it fills the first frames of the sample shot that comes with Cleanplate into ./filled.
"""

# %% What to fill
import sys

import cleanplate
from cleanplate import sample

files = sys.argv[1:4] or (sample.plate_pattern(), sample.matte_pattern(), "filled/clean.####.exr")
plate, matte, output = files
shot = cleanplate.Shot(plate=plate, matte=matte, output=output, frames=(1001, 1004))

# %% How: the matte a little larger than the object, its edge faded, real pixels from 12 frames each way
settings = cleanplate.Settings(grow=4, feather=4, propagate=12)

# %% Fill it. A frame is on disk, whole, when it is told of; run it again and nothing is rendered twice
with cleanplate.open_model("vinet", device="auto") as model:
    for done in model.render(shot, settings, resume=True):
        print(f"frame {done.frame}: {done.path} in {done.seconds:.2f} s")
