"""What a registry keeps: its policy, signing, exclusions."""

from tests.contract.errors.stage import Members, Stage, provokes

ROLE = "arn:aws:iam::123456789012:role/scanner"


@provokes("RegistryPolicyNotFoundException", "GetRegistryPolicy", "DeleteRegistryPolicy")
@provokes("SigningConfigurationNotFoundException", "GetSigningConfiguration", "DeleteSigningConfiguration")
async def in_a_new_registry(_stage: Stage) -> Members:
    return {}


@provokes("ExclusionNotFoundException", "DeregisterPullTimeUpdateExclusion")
async def deregistered_but_not_there(_stage: Stage) -> Members:
    return {"principalArn": ROLE}


@provokes("ExclusionAlreadyExistsException", "RegisterPullTimeUpdateExclusion")
async def registered_twice(stage: Stage) -> Members:
    await stage.api.register_pull_time_update_exclusion(principalArn=ROLE)
    return {"principalArn": ROLE}


@provokes("LimitExceededException", "RegisterPullTimeUpdateExclusion")
async def one_exclusion_too_many(stage: Stage) -> Members:
    for number in range(100):
        await stage.api.register_pull_time_update_exclusion(principalArn=f"{ROLE}{number}")
    return {"principalArn": ROLE}
