"""The settings of a registry (ECR API reference, "PutAccountSetting", "RegisterPullTimeUpdateExclusion")."""

from berth.registries import account_settings, pull_time_exclusions
from controlplane.call import Call, operation
from controlplane.wire.model import Members

DEFAULT_PAGE = 100


@operation("GetAccountSetting")
async def get_account_setting(call: Call, request: Members) -> Members:
    value = await account_settings.get(call.database, call.registry, request["name"])
    return {"name": request["name"], "value": value}


@operation("PutAccountSetting")
async def put_account_setting(call: Call, request: Members) -> Members:
    await account_settings.put(call.database, call.registry, request["name"], request["value"])
    return {"name": request["name"], "value": request["value"]}


@operation("RegisterPullTimeUpdateExclusion")
async def register_pull_time_update_exclusion(call: Call, request: Members) -> Members:
    created_at = await pull_time_exclusions.register(call.database, call.registry, request["principalArn"])
    return {"principalArn": request["principalArn"], "createdAt": created_at}


@operation("DeregisterPullTimeUpdateExclusion")
async def deregister_pull_time_update_exclusion(call: Call, request: Members) -> Members:
    await pull_time_exclusions.deregister(call.database, call.registry, request["principalArn"])
    return {"principalArn": request["principalArn"]}


@operation("ListPullTimeUpdateExclusions")
async def list_pull_time_update_exclusions(call: Call, request: Members) -> Members:
    pages = call.pages(request)
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    found = await pull_time_exclusions.page(call.database, call.registry, after=after, limit=limit + 1)
    listed = found[:limit]
    return {
        "pullTimeUpdateExclusions": listed,
        "nextToken": pages.token(listed[-1]) if len(found) > limit else None,
    }
