"""Identity providers that many organizations share: whom a role trusts there has to be told by a claim. Pure.

Anybody may get a token of GitHub's, so that a role which asks for nothing but GitHub is everybody's. IAM user guide,
"Identity-provider controls for shared OIDC providers".
"""

from typing import Any

from berth.identity.documents import grammar
from berth.identity.policies.globs import glob

_ACTION = "sts:assumerolewithwebidentity"
# The claim that tells whose a token is, by the issuer without its scheme.
_CLAIMS = {
    "agent.buildkite.com": "sub",
    "api.pulumi.com/oidc": "aud",
    "app.terraform.io": "sub",
    "cognito-identity.amazonaws.com": "aud",
    "gitlab.com": "sub",
    "oidc-configuration.audit-log.githubusercontent.com": "sub",
    "oidc.codefresh.io": "sub",
    "oidc.vercel.com": "aud",
    "proidc.upbound.io": "sub",
    "sandboxes.cloud": "aud",
    "scalr.io": "sub",
    "studio.datachain.ai/api": "sub",
    "token.actions.githubusercontent.com": "sub",
    "tokens.cloud.shisho.dev": "sub",
    "vstoken.actions.githubusercontent.com": "sub",
}
_PROVIDER = ":oidc-provider/"


def lacking(entries: list[dict[str, Any]]) -> str | None:
    """What to say of a trust policy that trusts everybody of a shared provider; None: it does not."""
    for entry in entries:
        if entry["Effect"] == "Allow" and "Principal" in entry and _lets_tokens_in(entry):
            for principal in grammar.principals(entry["Principal"]):
                issuer = principal.name.partition(_PROVIDER)[2] or principal.name
                claim = _CLAIMS.get(issuer.rstrip("/")) if principal.kind == "Federated" else None
                if claim is not None and not _asks_for(entry, f"{issuer}:{claim}"):
                    return (
                        f"The trust policy must evaluate {issuer}:{claim}, as many organizations share this provider."
                    )
    return None


def _lets_tokens_in(entry: dict[str, Any]) -> bool:
    found = any(glob(text.lower())(_ACTION) for text in grammar.listed(entry.get("Action", entry.get("NotAction", []))))
    return found is ("Action" in entry)


def _asks_for(entry: dict[str, Any], key: str) -> bool:
    """Whether it compares the key with something, which `*` is not, and fails where the key is not there."""
    return any(
        condition.key.lower() == key.lower()
        and condition.operator.startswith("String")
        and "Not" not in condition.operator
        and not condition.if_exists
        and condition.quantifier != "ForAllValues"
        and all(value.strip("*?") for value in condition.values)
        for condition in grammar.statement(entry).conditions
    )
