"""Random sequences of operations, each asked of Berth and of the model: what the rules of every room stand on."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.stateful.agreement import Agreement, Members
from tests.stateful.catalog import ABSENT, BLOBS, IMAGES, Image
from tests.stateful.ecr import layers

# The first two are there from the beginning; what takes a repository away does so to the last one, mostly.
NAMES = st.sampled_from(["team/app"] * 5 + ["a/b"] * 2 + ["zoo"])
SELDOM_NAMES = st.sampled_from(["team/app", "a/b", "zoo", "zoo", "zoo"])
TAGS = st.sampled_from(["latest", "v1", "v2", "dev-1", "dev-2"])
IMAGE = st.sampled_from(IMAGES)
DIGESTS = st.sampled_from([*(image.digest for image in IMAGES), ABSENT])
IMAGE_ID = st.one_of(
    DIGESTS.map(lambda digest: {"imageDigest": digest}),
    TAGS.map(lambda tag: {"imageTag": tag}),
    st.builds(lambda digest, tag: {"imageDigest": digest, "imageTag": tag}, DIGESTS, TAGS),
)
IMAGE_STATUS = st.sampled_from(["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])


class Machine(RuleBasedStateMachine):
    """`begin` makes a new registry for each sequence; when the sequence ends, everything in it is compared."""

    begin: Callable[[], Agreement]

    def __init__(self) -> None:
        super().__init__()
        self.registry = type(self).begin()
        self.is_agreed = True

    def an_image_id(self, data: st.DataObject, name: str) -> Members:
        """One of an image or a tag that is there, mostly."""
        repository = self.registry.ecr.repositories.get(name)
        there: list[Members] = []
        if repository is not None:
            there += [{"imageDigest": digest} for digest in repository.images]
            there += [{"imageTag": tag} for tag in repository.named]
        return data.draw(st.sampled_from(there) | IMAGE_ID if there else IMAGE_ID)

    def ask(self, operation: str, **members: Any) -> Members | None:
        self.is_agreed = False
        answer = self.registry.ask(operation, **members)
        self.is_agreed = True
        return answer

    def push_layers(self, name: str, image: Image) -> None:
        """What the repository lacks of the image's layers, one part each."""
        for blob in dict.fromkeys(image.blobs):
            repository = self.registry.ecr.repositories[name]
            if layers.availability(repository, blob.digest) == "AVAILABLE":
                continue
            begun = self.ask("InitiateLayerUpload", repositoryName=name)
            assert begun
            layers.began(self.registry.ecr, name, begun["uploadId"])
            upload = {"repositoryName": name, "uploadId": begun["uploadId"]}
            part = {"partFirstByte": 0, "partLastByte": len(blob.content) - 1, "layerPartBlob": blob.content}
            self.ask("UploadLayerPart", **upload, **part)
            self.ask("CompleteLayerUpload", **upload, layerDigests=[blob.digest])

    def push(self, name: str, image: Image, **members: Any) -> None:
        """The image after all that it names."""
        for child in image.children:
            held = self.registry.ecr.repositories[name].images.get(child.digest)
            if held is None or held.archived:
                self.push(name, child)
        self.push_layers(name, image)
        self.ask("PutImage", repositoryName=name, imageManifest=image.manifest, **members)

    def look_at(self, name: str) -> None:
        """Everything that the repository tells of itself."""
        repository = {"repositoryName": name}
        everything = {"imageStatus": "ANY", "tagStatus": "ANY"}
        self.ask("DescribeRepositories", repositoryNames=[name])
        self.ask("ListTagsForResource", resourceArn=self.registry.ecr.arn(name))
        self.ask("GetRepositoryPolicy", **repository)
        self.ask("GetLifecyclePolicy", **repository)
        self.ask("ListImages", **repository, filter=everything)
        self.ask("DescribeImages", **repository, filter=everything)
        self.ask("BatchCheckLayerAvailability", **repository, layerDigests=[blob.digest for blob in BLOBS])
        self.ask("BatchGetImage", **repository, imageIds=[{"imageDigest": image.digest} for image in IMAGES])
        for image in IMAGES:
            subject = {"subjectId": {"imageDigest": image.digest}, "filter": {"artifactStatus": "ANY"}}
            self.ask("ListImageReferrers", **repository, **subject)

    def teardown(self) -> None:
        try:
            if self.is_agreed:
                self.ask("DescribeRepositories")
                for name in self.registry.ecr.repositories:
                    self.look_at(name)
        finally:
            self.registry.close()
