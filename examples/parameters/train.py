"""Stands for a training: says what it was given."""

import json
import os
import pathlib
import sys

lr, epochs, optimizer, layers, labels = sys.argv[1:]
summary = {
    "lr": float(lr),
    "steps": int(epochs) * sum(json.loads(layers)),
    "optimizer": optimizer,
    "labels": len(pathlib.Path(labels).read_text().split()),
    "augment": os.environ["AMP_PARAM_AUGMENT"] == "true",
}
pathlib.Path(os.environ["AMP_OUT"], "summary.json").write_text(json.dumps(summary))
