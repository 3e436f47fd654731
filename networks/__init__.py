"""The abstract network: nodes, caches, differentiation, rewriting, checks, text form."""

from networks.builder import Builder
from networks.differentiation import differentiate, gradient
from networks.errors import NetworkError
from networks.network import Network, topological_order
from networks.node import Node
from networks.simplification import simplify
from networks.text import from_text, to_text
from networks.validation import validate

__all__ = [
    "Builder",
    "Network",
    "NetworkError",
    "Node",
    "differentiate",
    "from_text",
    "gradient",
    "simplify",
    "to_text",
    "topological_order",
    "validate",
]
