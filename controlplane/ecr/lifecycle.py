"""Lifecycle policies and their previews (ECR API reference, "PutLifecyclePolicy", "StartLifecyclePolicyPreview")."""

from datetime import UTC, datetime
from typing import Any

from berth.errors import InvalidParameter
from berth.images.lists import TagStatus
from berth.lifecycle import document, previews
from berth.lifecycle.previews import Preview, Result
from berth.repositories import documents
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import ImageId
from controlplane.wire.model import Members

DEFAULT_PAGE = 100
# The only storage class that images are moved to.
ARCHIVE = "ARCHIVE"
# What ECR answers for a policy that has not run yet.
NEVER = datetime.fromtimestamp(0, UTC)


@operation("PutLifecyclePolicy")
async def put_lifecycle_policy(call: Call, request: Members) -> Members:
    text = document.serialize(document.parse(request["lifecyclePolicyText"]))
    await documents.set_lifecycle_policy(call.database, call.registry, request["repositoryName"], text)
    return _answer(call, request, text)


@operation("GetLifecyclePolicy")
async def get_lifecycle_policy(call: Call, request: Members) -> Members:
    text, evaluated_at = await documents.get_lifecycle_policy(call.database, call.registry, request["repositoryName"])
    return {**_answer(call, request, text), "lastEvaluatedAt": evaluated_at or NEVER}


@operation("DeleteLifecyclePolicy")
async def delete_lifecycle_policy(call: Call, request: Members) -> Members:
    text, evaluated_at = await documents.remove_lifecycle_policy(
        call.database, call.registry, request["repositoryName"]
    )
    return {**_answer(call, request, text), "lastEvaluatedAt": evaluated_at or NEVER}


@operation("StartLifecyclePolicyPreview")
async def start_lifecycle_policy_preview(call: Call, request: Members) -> Members:
    given = request.get("lifecyclePolicyText")
    if given is not None:
        document.parse(given)
    text = await previews.start(call.database, call.registry, request["repositoryName"], given)
    return {**_answer(call, request, text), "status": previews.IN_PROGRESS}


@operation("GetLifecyclePolicyPreview")
async def get_lifecycle_policy_preview(call: Call, request: Members) -> Members:
    _refuse_paging_of_named(request)
    pages = call.pages(request, "repositoryName", "filter")
    after = _key(pages.after(request.get("nextToken")))
    ids = [ImageId.required(one) for one in request.get("imageIds", ())]
    status = TagStatus(request.get("filter", {}).get("tagStatus", TagStatus.ANY))
    limit = request.get("maxResults", DEFAULT_PAGE)
    preview = await previews.get(call.database, call.registry, request["repositoryName"])
    answer = {**_answer(call, request, preview.policy), "status": preview.status, "previewResults": []}
    if preview.status != previews.COMPLETE:
        return answer
    if ids:
        pairs = [(image_id.digest, image_id.tag) for image_id in ids]
        found, more = await previews.results_for(call.database, preview, status=status, ids=pairs), False
    else:
        found = await previews.results(call.database, preview, status=status, after=after, limit=limit + 1)
        found, more = found[:limit], len(found) > limit
    answer |= {"previewResults": [_result(result) for result in found], "summary": _summary(preview)}
    return {**answer, "nextToken": pages.token([found[-1].ordered_at, found[-1].digest]) if more else None}


def _answer(call: Call, request: Members, text: str) -> Members:
    return {
        "registryId": call.registry.account,
        "repositoryName": request["repositoryName"],
        "lifecyclePolicyText": text,
    }


def _result(result: Result) -> Members:
    """ECR API reference, "LifecyclePolicyPreviewResult"."""
    target = {"targetStorageClass": ARCHIVE} if result.action == "TRANSITION" else {}
    return {
        "imageTags": list(result.tags) or None,
        "imageDigest": result.digest,
        "imagePushedAt": result.pushed_at,
        "action": {"type": result.action, **target},
        "appliedRulePriority": result.rule_priority,
        "storageClass": result.storage_class,
    }


def _summary(preview: Preview) -> Members:
    """ECR API reference, "LifecyclePolicyPreviewSummary"."""
    archived = {"targetStorageClass": ARCHIVE, "imageTotalCount": preview.transitioning}
    return {
        "expiringImageTotalCount": preview.expiring,
        "transitioningImageTotalCounts": [archived] if preview.transitioning else None,
    }


def _key(after: Any) -> tuple[datetime, str] | None:
    return None if after is None else (datetime.fromisoformat(after[0]), after[1])


def _refuse_paging_of_named(request: Members) -> None:
    for name in ("maxResults", "nextToken"):
        if name in request and "imageIds" in request:
            raise InvalidParameter(name, f"{name} can't be used together with imageIds")
