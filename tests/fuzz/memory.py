"""What the answers told so far, for later calls to use: names, digests, ids, tokens, each by the name of its shape."""

import random
from collections import defaultdict, deque
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

REMEMBERED = 12


class Memory:
    def __init__(self) -> None:
        self._told: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def learn(self, shape: Shape | None, value: Any) -> None:
        """Every text in an answer of that shape."""
        if isinstance(shape, StructureShape):
            for name, member in shape.members.items():
                if name in value:
                    self.learn(member, value[name])
        elif isinstance(shape, ListShape):
            for item in value[-REMEMBERED:]:
                self.learn(shape.member, item)
        elif shape is not None and shape.type_name == "string" and value not in self._told[shape.name]:
            self._told[shape.name].append(value)

    def recall(self, shape: Shape, chance: random.Random) -> str | None:
        told = self._told.get(shape.name)
        return chance.choice(told) if told else None
