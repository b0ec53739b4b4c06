"""The tags on a repository (ECR API reference, "TagResource")."""

from berth.names import RepositoryArn
from berth.repositories import resource_tags, tagging
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("TagResource")
async def tag_resource(call: Call, request: Members) -> Members:
    await tagging.add(call.database, call.registry, _name(request), resource_tags.parse(request["tags"]))
    return {}


@operation("UntagResource")
async def untag_resource(call: Call, request: Members) -> Members:
    keys = resource_tags.parse_keys(request["tagKeys"])
    await tagging.remove(call.database, call.registry, _name(request), keys)
    return {}


@operation("ListTagsForResource")
async def list_tags_for_resource(call: Call, request: Members) -> Members:
    tags = await tagging.get(call.database, call.registry, _name(request))
    return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _name(request: Members) -> str:
    return RepositoryArn.parse(request["resourceArn"]).name
