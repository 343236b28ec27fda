import json
import os
import pathlib
import sys

guess = float(sys.argv[1])
better = (guess + 2 / guess) / 2
out = pathlib.Path(os.environ["AMP_OUT"])
(out / "guess.json").write_text(json.dumps(better))
(out / "error.json").write_text(json.dumps(abs(better * better - 2)))
