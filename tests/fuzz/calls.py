"""Calls generated from the model: valid, nearly valid, and hostile; the same ones for the same seed."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from tests.contract import meaning, model
from tests.contract.patterns import language
from tests.contract.samples import NUMBERS, blob
from tests.fuzz import hostile
from tests.fuzz.memory import Memory
from tests.stateful.catalog import BLOBS, IMAGES

# Those that would leave little for the others to be about.
SELDOM = {"DeleteRepository": 0.15, "BatchDeleteImage": 0.4}
OFTEN = {"PutImage": 2.0, "CompleteLayerUpload": 2.0, "DescribeImages": 2.0, "ListImages": 2.0}
WEIGHTS = [SELDOM.get(name, OFTEN.get(name, 1.0)) for name in model.OPERATIONS]

DOCUMENTS = {
    "ImageManifest": [image.manifest for image in IMAGES],
    "LifecyclePolicyText": [meaning.LIFECYCLE],
    "LifecyclePolicyTextForRepositoryCreationTemplate": [meaning.LIFECYCLE],
    "RegistryPolicyText": [meaning.REGISTRY_POLICY],
    "RepositoryPolicyText": [meaning.POLICY],
}
DIGESTS = [*(image.digest for image in IMAGES), *(layer.digest for layer in BLOBS)]
KNOWN = {
    **meaning.VALUES,
    **DOCUMENTS,
    **dict.fromkeys(("BatchedOperationLayerDigest", "ImageDigest", "LayerDigest"), DIGESTS),
    "RepositoryName": ["team/app", "a/b", "zoo"],
}


class Calls:
    """`arn` gives the ARN of a repository in the registry that is called."""

    def __init__(self, seed: int, memory: Memory, arn: Callable[[str], str]) -> None:
        self._chance = random.Random(seed)
        self._memory = memory
        self._known = {**KNOWN, "Arn": [arn(name) for name in KNOWN["RepositoryName"]]}

    def next(self) -> tuple[str, bytes]:
        """An operation and the body to call it with."""
        (operation,) = self._chance.choices(list(model.OPERATIONS), WEIGHTS)
        members = self._value(model.OPERATIONS[operation].input_shape)
        if operation == "UploadLayerPart" and isinstance(members, dict) and self._chance.random() < 0.7:
            members |= self._part()
        if self._chance.random() < 0.03:
            members = hostile.spoilt(members, self._chance)
        body = json.dumps(members, ensure_ascii=self._chance.random() < 0.5).encode(errors="surrogatepass")
        return operation, hostile.mangled(body, self._chance) if self._chance.random() < 0.03 else body

    def _part(self) -> dict[str, Any]:
        """A part that goes at the beginning of an upload."""
        content = self._chance.choice(BLOBS).content
        return {
            "partFirstByte": 0,
            "partLastByte": len(content) - 1,
            "layerPartBlob": base64.b64encode(content).decode(),
        }

    def _value(self, shape: Shape) -> Any:
        if self._chance.random() < 0.004:
            return hostile.value(self._chance)
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return [self._value(shape.member) for _ in range(self._number_of_items(shape))]
        if shape.type_name == "string":
            return self._text(shape)
        if shape.type_name == "boolean":
            return self._chance.random() < 0.5
        if shape.type_name == "blob":
            return blob(self._chance.choice([0, 1, 100]))
        return self._number(shape)

    def _structure(self, shape: StructureShape) -> dict[str, Any]:
        members = {}
        for name, member in shape.members.items():
            if self._chance.random() < (0.995 if name in shape.required_members else self._likely(member)):
                members[name] = self._value(member)
        if self._chance.random() < 0.02:
            members[hostile.text(self._chance)] = hostile.value(self._chance)
        return members

    @staticmethod
    def _likely(member: Shape) -> float:
        """Of members that need not be there; without a name of an image, most calls would go no further."""
        return {"RegistryId": 0.02, "ImageDigest": 0.6, "ImageTag": 0.4, "NextToken": 0.15}.get(member.name, 0.3)

    def _number_of_items(self, shape: ListShape) -> int:
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 5)
        if self._chance.random() < 0.02:
            return int(self._chance.choice([0, most, most + 1]))
        return self._chance.randint(least, min(most, least + 3))

    def _number(self, shape: Shape) -> Any:
        least = shape.metadata.get("min", -NUMBERS.get(shape.type_name, 100))
        most = shape.metadata.get("max", NUMBERS.get(shape.type_name, 100))
        kind = self._chance.random()
        if kind < 0.03:
            return self._chance.choice([least - 1, most + 1, *hostile.NUMBERS])
        return self._chance.randint(least, min(most, least + 10) if kind < 0.8 else most)

    def _text(self, shape: Shape) -> str:
        kind = self._chance.random()
        if kind < 0.02:
            return hostile.text(self._chance)
        if kind < 0.05:
            return self._spoilt(shape, self._plain(shape))
        if kind < 0.5 and (told := self._memory.recall(shape, self._chance)) is not None:
            return told
        return self._plain(shape)

    def _plain(self, shape: Shape) -> str:
        """A text that the model allows; one that makes sense, where there is such."""
        if shape.name in self._known and self._chance.random() < 0.95:
            return self._chance.choice(self._known[shape.name])
        if "enum" in shape.metadata:
            return str(self._chance.choice(shape.metadata["enum"]))
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 200)
        if "pattern" in shape.metadata:
            found = language(shape.metadata["pattern"])
            text = found.any(self._chance)
            return text if least <= len(text) <= most else found.of_length(least) or found.of_length(most) or text
        return "x" * self._chance.randint(least, min(most, least + 20))

    def _spoilt(self, shape: Shape, text: str) -> str:
        if shape.name in DOCUMENTS:
            return json.dumps(hostile.spoilt(json.loads(DOCUMENTS[shape.name][0]), self._chance))
        longest = shape.metadata.get("max", 300)
        pattern = shape.metadata.get("pattern")
        long = (pattern and language(pattern).of_length(longest)) or "a" * longest
        return self._chance.choice([text + "\n", text + "!", text.upper(), text[:-1], long[:-1] + "!", long + long[-1]])
