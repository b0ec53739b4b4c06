from bench import decisions
from berth.identity.policies.decide import Decision


def test_what_is_measured_is_what_its_title_says() -> None:
    outcomes = [found.outcome for work in decisions.works().values() if isinstance(found := work(), Decision)]
    assert outcomes == ["Allowed", "Allowed", "ImplicitlyDenied", "Allowed"]
