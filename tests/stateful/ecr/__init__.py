"""A small model of Amazon ECR in memory: what the API reference and the user guide say, in the plainest words.

It knows nothing of Berth. Each operation is a function of the registry and the members of the request; it returns the
members of the answer, or raises Refused with the code of the error. What nobody can know beforehand (moments, ids,
tokens) is ANYTHING.
"""

from tests.stateful.ecr import documents, images, layers, listings, repositories
from tests.stateful.ecr.registry import ANYTHING, Ecr, Refused

__all__ = ["ANYTHING", "Ecr", "Refused", "documents", "images", "layers", "listings", "repositories"]
