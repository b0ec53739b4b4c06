"""OpenID Connect providers (IAM API reference, "CreateOpenIDConnectProvider" and those that follow from it)."""

from berth.identity.directory import oidc_providers, tags
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members

ARN = "OpenIDConnectProviderArn"


@operation("CreateOpenIDConnectProvider", service="iam")
async def create_open_id_connect_provider(call: Call, request: Members) -> Members:
    provider = await oidc_providers.create(
        call.database,
        call.registry.account,
        request["Url"],
        client_ids=request.get("ClientIDList", []),
        thumbprints=request.get("ThumbprintList", []),
        tags=tags.parse(request.get("Tags", [])),
    )
    return {ARN: provider.arn, "Tags": shapes.tags(provider.tags) or None}


@operation("GetOpenIDConnectProvider", service="iam")
async def get_open_id_connect_provider(call: Call, request: Members) -> Members:
    provider = await oidc_providers.get(call.database, call.registry.account, request[ARN])
    return {
        "Url": provider.url,
        "ClientIDList": provider.client_ids,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created_at,
        "Tags": shapes.tags(provider.tags),
    }


@operation("ListOpenIDConnectProviders", service="iam")
async def list_open_id_connect_providers(call: Call, _request: Members) -> Members:
    found = await oidc_providers.all_of(call.database, call.registry.account)
    return {"OpenIDConnectProviderList": [{"Arn": provider.arn} for provider in found]}


@operation("DeleteOpenIDConnectProvider", service="iam")
async def delete_open_id_connect_provider(call: Call, request: Members) -> Members:
    await oidc_providers.remove(call.database, call.registry.account, request[ARN])
    return {}


@operation("AddClientIDToOpenIDConnectProvider", service="iam")
async def add_client_id_to_open_id_connect_provider(call: Call, request: Members) -> Members:
    await oidc_providers.add_client_id(call.database, call.registry.account, request[ARN], request["ClientID"])
    return {}


@operation("RemoveClientIDFromOpenIDConnectProvider", service="iam")
async def remove_client_id_from_open_id_connect_provider(call: Call, request: Members) -> Members:
    await oidc_providers.remove_client_id(call.database, call.registry.account, request[ARN], request["ClientID"])
    return {}


@operation("UpdateOpenIDConnectProviderThumbprint", service="iam")
async def update_open_id_connect_provider_thumbprint(call: Call, request: Members) -> Members:
    thumbprints = request["ThumbprintList"]
    await oidc_providers.set_thumbprints(call.database, call.registry.account, request[ARN], thumbprints)
    return {}


@operation("TagOpenIDConnectProvider", service="iam")
async def tag_open_id_connect_provider(call: Call, request: Members) -> Members:
    added = tags.parse(request["Tags"])
    await oidc_providers.add_tags(call.database, call.registry.account, request[ARN], added)
    return {}


@operation("UntagOpenIDConnectProvider", service="iam")
async def untag_open_id_connect_provider(call: Call, request: Members) -> Members:
    keys = request["TagKeys"]
    await oidc_providers.remove_tags(call.database, call.registry.account, request[ARN], keys)
    return {}


@operation("ListOpenIDConnectProviderTags", service="iam")
async def list_open_id_connect_provider_tags(call: Call, request: Members) -> Members:
    listing = Listing(call, request, ARN)
    provider = await oidc_providers.get(call.database, call.registry.account, request[ARN])
    return listing.page_of_tags(provider.tags)
