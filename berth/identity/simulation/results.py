"""What comes of a simulated request, as SimulatePrincipalPolicy tells it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from berth.identity.policies import explaining, positions
from berth.identity.policies.callers import Caller
from berth.identity.policies.compiled import Kind
from berth.identity.policies.decide import Applying, Outcome, Request
from berth.identity.policies.explaining import Explanation, Verdict
from berth.identity.policies.positions import Span
from berth.identity.policies.variables import Context
from berth.identity.simulation.policies import Source, Sources

# The kinds whose statements and condition keys are told.
_TOLD = (Kind.IDENTITY, Kind.RESOURCE)
# In which order one result stands for several.
_RESTRICTIVE = (Outcome.EXPLICITLY_DENIED, Outcome.IMPLICITLY_DENIED, Outcome.ALLOWED)


@dataclass(frozen=True, slots=True)
class Matched:
    """A statement that decided, and where it stands in the text of its policy."""

    source: Source
    span: Span


@dataclass(frozen=True, slots=True)
class Result:
    """What would be decided of an action on a resource.

    `by_kind` is what each kind of policy says where two accounts have a say. The last two are None where there are no
    such policies.
    """

    resource: str
    outcome: Outcome
    matched: tuple[Matched, ...]
    missing: tuple[str, ...]
    by_kind: Mapping[Kind, Outcome]
    allowed_by_boundary: bool | None
    allowed_by_organization: bool | None


class Simulation:
    """Requests of `caller` with that context; `owner` has the resources whose ARNs name no account."""

    def __init__(self, sources: Sources, caller: Caller, context: Context, owner: str) -> None:
        self._sources, self._caller, self._context, self._owner = sources, caller, context, owner
        self._applying: Applying = sources.applying()
        self._spans: dict[str, list[Span]] = {}
        self._names = {key.lower(): key for key in sources.condition_keys()}

    def result(self, action: str, resource: str, owner: str) -> Result:
        """`owner` is the account in the ARN of the resource, if there is one."""
        request = Request(self._caller, action, resource, owner or self._owner, self._context)
        found = explaining.explain(request, self._applying)
        told = [verdict for verdict in found.verdicts if verdict.kind in _TOLD]
        is_across = request.owner != self._caller.account and self._applying.resource is not None
        return Result(
            resource,
            found.decision.outcome,
            tuple(self._matched(found.decision.outcome, told)),
            self._missing(),
            {verdict.kind: verdict.outcome for verdict in told} if is_across else {},
            _allowed(found, Kind.BOUNDARY),
            _allowed(found, Kind.SERVICE_CONTROL),
        )

    def _matched(self, outcome: Outcome, told: list[Verdict]) -> list[Matched]:
        if outcome is Outcome.IMPLICITLY_DENIED:
            return []
        allows = outcome is Outcome.ALLOWED
        considered = [each for verdict in told for each in verdict.considered]
        deciding = [each for each in considered if each.holds and each.rule.allows is allows]
        sources = self._sources.by_policy
        return [
            Matched(sources[each.policy], self._spans_of(sources[each.policy])[each.rule.index]) for each in deciding
        ]

    def _spans_of(self, source: Source) -> list[Span]:
        if source.text not in self._spans:
            self._spans[source.text] = positions.statements(source.text)
        return self._spans[source.text]

    def _missing(self) -> tuple[str, ...]:
        return tuple(name for key, name in self._names.items() if key not in self._context)


def most_restrictive(outcomes: list[Outcome]) -> Outcome:
    return min(outcomes, key=_RESTRICTIVE.index)


def _allowed(found: Explanation, kind: Kind) -> bool | None:
    """Whether all policies of that kind leave it open."""
    outcomes = [verdict.outcome for verdict in found.verdicts if verdict.kind is kind]
    return all(outcome is Outcome.ALLOWED for outcome in outcomes) if outcomes else None
