"""Ten epochs. A checkpoint is written to another name first, so that it is there as a whole or not at all."""

import json
import os
import sys
from pathlib import Path

import amp

checkpoint = Path(os.environ["AMP_CHECKPOINT"]) / "state.json"
state = json.loads(checkpoint.read_text()) if checkpoint.exists() else {"epoch": 0, "loss": 1.0}
print("beginning at epoch", state["epoch"])
first = state["epoch"]
while state["epoch"] < 10:
    state = {"epoch": state["epoch"] + 1, "loss": state["loss"] * 0.8}
    new = checkpoint.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.rename(checkpoint)
    if state["epoch"] == 3 and os.environ["AMP_ATTEMPT"] == "1":
        sys.exit("the machine is on fire")
amp.put("loss", round(state["loss"], 3))
amp.put("first_epoch", first)
