"""Layers, their uploads, and images."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.agreement import Members
from tests.stateful.catalog import ABSENT, BLOBS, Blob, Image, digest_of
from tests.stateful.ecr import layers
from tests.stateful.machine import DIGESTS, IMAGE, IMAGE_ID, NAMES, TAGS, Machine

BLOB = st.sampled_from(BLOBS)
ODD_IDS: st.SearchStrategy[list[Members]] = st.lists(IMAGE_ID | st.just({}), max_size=2)
TAGGED: st.SearchStrategy[Members] = st.just({}) | TAGS.map(lambda tag: {"imageTag": tag})


class Layers(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.uploads: list[Members] = []

    @rule(name=NAMES)
    def begin_upload(self, name: str) -> None:
        begun = self.ask("InitiateLayerUpload", repositoryName=name)
        if begun:
            layers.began(self.registry.ecr, name, begun["uploadId"])
            self.uploads.append({"repositoryName": name, "uploadId": begun["uploadId"]})

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), blob=BLOB, first=st.sampled_from([0, 5]), follows=st.booleans(), short=st.booleans())
    def upload_part(self, data: st.DataObject, blob: Blob, first: int, follows: bool, short: bool) -> None:
        """The rest of the layer from that byte on; or a few bytes of it; at the right place, or at any."""
        upload = data.draw(st.sampled_from(self.uploads))
        part = blob.content[first : first + 5] if short else blob.content[first:]
        repository = self.registry.ecr.repositories.get(upload["repositoryName"])
        held = repository.uploads.get(upload["uploadId"]) if repository and follows else None
        begin = len(held.content) if held else first
        self.ask(
            "UploadLayerPart",
            **upload,
            partFirstByte=begin,
            partLastByte=begin + len(part) - 1 if part else begin,
            layerPartBlob=part,
        )

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), blob=BLOB, right=st.booleans())
    def complete_upload(self, data: st.DataObject, blob: Blob, right: bool) -> None:
        """With the digest of what was uploaded, or with any."""
        upload = data.draw(st.sampled_from(self.uploads))
        repository = self.registry.ecr.repositories.get(upload["repositoryName"])
        held = repository.uploads.get(upload["uploadId"]) if repository and right else None
        self.ask("CompleteLayerUpload", **upload, layerDigests=[digest_of(held.content) if held else blob.digest])

    @rule(name=NAMES, blobs=st.lists(BLOB, min_size=1, max_size=3))
    def check_layers(self, name: str, blobs: list[Blob]) -> None:
        digests = [blob.digest for blob in blobs]
        self.ask("BatchCheckLayerAvailability", repositoryName=name, layerDigests=[*digests, ABSENT])
        self.ask("GetDownloadUrlForLayer", repositoryName=name, layerDigest=digests[0])


class Images(Machine):
    @rule(name=NAMES, image=IMAGE, tagged=TAGGED)
    def push_all(self, name: str, image: Image, tagged: Members) -> None:
        if name in self.registry.ecr.repositories:
            self.push(name, image, **tagged)

    @rule(name=NAMES, image=IMAGE, tagged=TAGGED, digest=st.none() | DIGESTS)
    def put(self, name: str, image: Image, tagged: Members, digest: str | None) -> None:
        named = {"imageDigest": digest} if digest else {}
        self.ask("PutImage", repositoryName=name, imageManifest=image.manifest, **tagged, **named)

    @rule(name=NAMES, image=IMAGE, tagged=TAGGED)
    def put_by_its_digest(self, name: str, image: Image, tagged: Members) -> None:
        members = {"imageManifest": image.manifest, "imageManifestMediaType": image.media_type}
        self.ask("PutImage", repositoryName=name, **members, **tagged, imageDigest=image.digest)

    @rule(data=st.data(), name=NAMES, number=st.integers(1, 3), odd=ODD_IDS)
    def get(self, data: st.DataObject, name: str, number: int, odd: list[Members]) -> None:
        ids = [self.an_image_id(data, name) for _ in range(number)]
        self.ask("BatchGetImage", repositoryName=name, imageIds=[*ids, *odd])

    @rule(data=st.data(), name=NAMES, number=st.integers(1, 3), odd=ODD_IDS)
    def delete_images(self, data: st.DataObject, name: str, number: int, odd: list[Members]) -> None:
        ids = [self.an_image_id(data, name) for _ in range(number)]
        self.ask("BatchDeleteImage", repositoryName=name, imageIds=[*ids, *odd])

    @rule(data=st.data(), name=NAMES, to=st.sampled_from(["ARCHIVE", "ARCHIVE", "STANDARD"]))
    def archive_or_restore(self, data: st.DataObject, name: str, to: str) -> None:
        image_id = self.an_image_id(data, name)
        self.ask("UpdateImageStorageClass", repositoryName=name, imageId=image_id, targetStorageClass=to)

    @rule(name=NAMES, images=st.lists(IMAGE, min_size=1, max_size=3))
    def archive_many(self, name: str, images: list[Image]) -> None:
        for image in images:
            image_id = {"imageDigest": image.digest}
            self.ask("UpdateImageStorageClass", repositoryName=name, imageId=image_id, targetStorageClass="ARCHIVE")
