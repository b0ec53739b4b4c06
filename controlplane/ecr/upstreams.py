"""Pull through cache rules (ECR API reference, "CreatePullThroughCacheRule")."""

from berth.upstreams import rules
from berth.upstreams.rules import NewRule, Rule
from controlplane.call import Call, operation
from controlplane.wire.model import Members

DEFAULT_PAGE = 100
NOT_CONTACTED = (
    "No upstream registry is contacted here, so that neither its address nor the credentials could be tried."
)


@operation("CreatePullThroughCacheRule")
async def create_pull_through_cache_rule(call: Call, request: Members) -> Members:
    new = NewRule(
        prefix=request["ecrRepositoryPrefix"],
        url=request["upstreamRegistryUrl"],
        kind=request.get("upstreamRegistry"),
        upstream_prefix=request.get("upstreamRepositoryPrefix"),
        credential=request.get("credentialArn"),
        role=request.get("customRoleArn"),
    )
    rule = await rules.create(call.database, call.registry, new)
    return {**_told(rule), "upstreamRegistryUrl": rule.url, "upstreamRegistry": rule.kind, "createdAt": rule.created_at}


@operation("UpdatePullThroughCacheRule")
async def update_pull_through_cache_rule(call: Call, request: Members) -> Members:
    rule = await rules.set_authentication(
        call.database,
        call.registry,
        request["ecrRepositoryPrefix"],
        credential=request.get("credentialArn"),
        role=request.get("customRoleArn"),
    )
    return {**_told(rule), "updatedAt": rule.updated_at}


@operation("ValidatePullThroughCacheRule")
async def validate_pull_through_cache_rule(call: Call, request: Members) -> Members:
    """Only what was tried can be valid, and nothing was."""
    rule = await rules.get(call.database, call.registry, request["ecrRepositoryPrefix"])
    return {**_told(rule), "upstreamRegistryUrl": rule.url, "isValid": False, "failure": NOT_CONTACTED}


@operation("DescribePullThroughCacheRules")
async def describe_pull_through_cache_rules(call: Call, request: Members) -> Members:
    pages = call.pages(request, "ecrRepositoryPrefixes")
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    if "ecrRepositoryPrefixes" in request:
        named = await rules.get_all(call.database, call.registry, request["ecrRepositoryPrefixes"])
        found = [rule for rule in named if rule.key > after]
    else:
        found = await rules.page(call.database, call.registry, after=after, limit=limit + 1)
    shown = found[:limit]
    return {
        "pullThroughCacheRules": [_described(rule) for rule in shown],
        "nextToken": pages.token(shown[-1].key) if len(found) > limit else None,
    }


@operation("DeletePullThroughCacheRule")
async def delete_pull_through_cache_rule(call: Call, request: Members) -> Members:
    rule = await rules.remove(call.database, call.registry, request["ecrRepositoryPrefix"])
    return {**_told(rule), "upstreamRegistryUrl": rule.url, "createdAt": rule.created_at}


def _described(rule: Rule) -> Members:
    """ECR API reference, "PullThroughCacheRule"."""
    return {
        **_told(rule),
        "upstreamRegistryUrl": rule.url,
        "upstreamRegistry": rule.kind,
        "createdAt": rule.created_at,
        "updatedAt": rule.updated_at,
    }


def _told(rule: Rule) -> Members:
    """What every operation answers."""
    return {
        "ecrRepositoryPrefix": rule.prefix,
        "registryId": rule.registry.account,
        "credentialArn": rule.credential,
        "customRoleArn": rule.role,
        "upstreamRepositoryPrefix": rule.upstream_prefix,
    }
