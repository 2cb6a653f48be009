"""Before anything is stored: what a plan would mean. Who is hit, by when the law wants whom told, and the text.

Stores nothing and tells nobody. The sample text stands for the real ones: these differ by
the customer's places alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from channels.model import Language, NoticeFacts, PlaceLine, RenderedSms
from channels.render import render_sms
from outage_notify.domain.checks import Finding
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import check_plan, plan_outage, window_facts
from outage_notify.services.check_plan import Checked
from outage_notify.services.notice_facts import in_words
from outage_notify.services.plan_outage import PlanRequest, Preview
from outage_notify.services.resolve_audience import Foreseen
from outage_notify.services.runtime import Runtime
from outage_notify.services.window_facts import WindowFacts

# As long as a real one, and plainly none.
_SAMPLE_TOKEN = "x" * 31
_SAMPLE_REFERENCE = "PO-0000-0000"
_SAMPLE_SHORT = "SAMPLE"


@dataclass(frozen=True)
class PlanPreview:
    preview: Preview
    window: WindowFacts
    texts: Mapping[str, RenderedSms]
    findings: tuple[Finding, ...] = ()

    @property
    def told(self) -> int:
        """Distinct customers in the audience."""
        return sum(one["customers"] for one in self.preview.by_tier.values())


def preview_plan(
    rt: Runtime, request: PlanRequest, reference: str = "", foreseen: Foreseen | None = None
) -> PlanPreview:
    """Trace (unless it is `foreseen` already), check and render. Raises what `plan_outage.preview` raises.
    `reference`: the outage that the plan changes, which does not stand in its own way."""
    found = plan_outage.preview(rt, request, foreseen)
    lost, crowd = frozenset(found.resolved.resolution.dark), found.resolved.hit
    with rt.database.read() as session:
        now = rt.now(session)
        start, end, kind = request.start, request.end, request.kind
        window = window_facts.window_facts(session, rt, kind, start, end, crowd, now)
        asked = Checked(start, end, rt.zone, request.switching, lost, crowd, reference, kind, window.waves)
        findings = tuple(check_plan.findings(session, rt, asked))
    texts = {one.value: _sample(rt, request, one) for one in Language}
    return PlanPreview(found, window, texts, findings)


def _sample(rt: Runtime, request: PlanRequest, language: Language) -> RenderedSms:
    settings = rt.settings
    place = request.area or request.line or _SAMPLE_REFERENCE
    facts = NoticeFacts(
        kind=NoticeKind.SEVEN_DAY.value,
        language=language,
        reference=_SAMPLE_REFERENCE,
        revision=1,
        short_ref=_SAMPLE_SHORT,
        utility=settings.utility,
        reason=in_words(request.reason, language),
        places=(PlaceLine(place),),
        start=request.start.astimezone(rt.zone),
        end=request.end.astimezone(rt.zone),
        hotline=settings.hotline,
        area=request.area,
        line=request.line,
        notice_url=f"{settings.base_url}/n/{_SAMPLE_TOKEN}",
    )
    return render_sms(facts)
