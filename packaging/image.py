"""An image `FROM scratch`, made without an engine: what `docker load`, `podman load` and `ctr image import` take.

The archive is an OCI layout with the manifest.json of `docker save` beside it; both name the same blobs.
"""

import datetime
import hashlib
import json

from archive import Entry, tar

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def image(program: bytes, documents: dict[str, bytes], version: str, commit: str, epoch: int) -> bytes:
    """`documents`: what goes to /usr/share/doc/amp."""
    layer = tar(_root(program, documents), epoch)
    labels = {"org.opencontainers.image.title": "amp", "org.opencontainers.image.version": version}
    if commit:
        labels["org.opencontainers.image.revision"] = commit
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                "Entrypoint": ["/amp"],
                "WorkingDir": "/work",
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": created, "created_by": f"amp {version}"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, layer)],
        }
    )
    name = f"amp:{version}"
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                **_descriptor(MANIFEST, manifest),
                "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": version},
            }
        ],
    }
    saved = [{"Config": _path(config), "RepoTags": [name], "Layers": [_path(layer)]}]
    blobs = sorted((_path(blob), blob) for blob in (layer, config, manifest))
    files = [
        Entry("blobs", mode=0o755),
        Entry("blobs/sha256", mode=0o755),
        *(Entry(path, blob) for path, blob in blobs),
        Entry("index.json", _json(index)),
        Entry("manifest.json", _json(saved)),
        Entry("oci-layout", _json({"imageLayoutVersion": "1.0.0"})),
    ]
    return tar(files, epoch)


def _root(program: bytes, documents: dict[str, bytes]) -> list[Entry]:
    """The program, where steps find it too, a place for temporary files, one for projects, and the licences."""
    folders = [
        Entry(name, mode=0o755) for name in ("usr", "usr/bin", "usr/share", "usr/share/doc", "usr/share/doc/amp", "work")
    ]
    texts = [Entry(f"usr/share/doc/amp/{name}", text) for name, text in sorted(documents.items())]
    return [
        Entry("amp", program, mode=0o755),
        Entry("tmp", mode=0o1777),
        *folders,
        Entry("usr/bin/amp", target="/amp", mode=0o777),
        *texts,
    ]


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _path(blob: bytes) -> str:
    return "blobs/" + _digest(blob).replace(":", "/")


def _descriptor(kind: str, blob: bytes) -> dict:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
