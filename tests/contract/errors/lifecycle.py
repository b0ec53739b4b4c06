"""Previews of lifecycle policies."""

from tests.contract.errors.stage import REPOSITORY, Members, Stage, provokes
from tests.contract.meaning import LIFECYCLE


@provokes("LifecyclePolicyPreviewNotFoundException", "GetLifecyclePolicyPreview")
@provokes("LifecyclePolicyNotFoundException", "StartLifecyclePolicyPreview")
async def without_any(stage: Stage) -> Members:
    await stage.repository()
    return REPOSITORY


@provokes("LifecyclePolicyPreviewInProgressException", "StartLifecyclePolicyPreview")
async def started_twice(stage: Stage) -> Members:
    await stage.repository()
    await stage.api.start_lifecycle_policy_preview(**REPOSITORY, lifecyclePolicyText=LIFECYCLE)
    return {**REPOSITORY, "lifecyclePolicyText": LIFECYCLE}
