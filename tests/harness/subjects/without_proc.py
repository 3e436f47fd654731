"""A plugin: a worker whose system has no /proc, as far as its memory probe knows."""

from harness.worker import service
from harness.worker.memory import PortableProbe

service.probe_here = PortableProbe  # type: ignore[assignment]
