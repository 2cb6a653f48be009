"""Who is affected and how much: sites with several feeds, gravest impact, counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain.audience import (
    IMPACT_ORDER,
    Affected,
    Feed,
    Impact,
    Tier,
    assess,
    count_by_tier,
    gravest,
    is_key,
)

LOADS = [f"load:{number}" for number in range(6)]


@st.composite
def towns(draw: st.DrawFn) -> tuple[list[Feed], frozenset[str], frozenset[str]]:
    """Feeds of a few sites, each site of one customer, and loads that are lost or lost for a moment."""
    feeds = []
    for site in range(draw(st.integers(1, 6))):
        customer, tier = draw(st.integers(0, 3)), draw(st.sampled_from(Tier))
        for element in draw(st.lists(st.sampled_from(LOADS), min_size=1, max_size=3)):
            feeds.append(Feed(len(feeds), customer, site, element, tier, draw(st.booleans())))
    lost = draw(st.frozensets(st.sampled_from(LOADS)))
    return feeds, lost, draw(st.frozensets(st.sampled_from(LOADS))) - lost


@given(towns())
def test_a_site_is_dark_only_when_all_its_feeds_are_lost(
    town: tuple[list[Feed], frozenset[str], frozenset[str]],
) -> None:
    feeds, lost, momentary = town
    found = {one.feed.service_point: one.impact for one in assess(feeds, lost, momentary)}
    for feed in feeds:
        siblings = [one for one in feeds if one.site == feed.site]
        dark = all(one.element in lost for one in siblings)
        expected = Impact.NONE
        if feed.element in lost:
            expected = Impact.OUTAGE if dark else Impact.REDUCED_REDUNDANCY
        elif feed.element in momentary:
            expected = Impact.MOMENTARY
        assert found.get(feed.service_point, Impact.NONE) is expected


@given(towns())
def test_counts_count_service_points_and_distinct_customers(
    town: tuple[list[Feed], frozenset[str], frozenset[str]],
) -> None:
    affected = assess(*town)
    counts = count_by_tier(affected)
    assert list(counts) == [tier.value for tier in Tier], "all six tiers, whether hit or not"
    points = sum(row["outage"] + row["reduced"] + row["momentary"] for row in counts.values())
    assert points == len(affected)
    for tier, row in counts.items():
        assert row["customers"] == len({one.feed.customer for one in affected if one.feed.tier == tier})


def test_different_sites_of_one_customer_never_feed_each_other() -> None:
    home, shop = Feed(1, 7, 1, "load:1", Tier.GENERAL), Feed(2, 7, 2, "load:2", Tier.GENERAL)
    assert assess([home, shop], frozenset({"load:1"}), frozenset()) == [Affected(home, Impact.OUTAGE)]


@given(st.lists(st.sampled_from(Impact)))
def test_the_gravest_is_at_least_as_grave_as_each(impacts: list[Impact]) -> None:
    assert all(IMPACT_ORDER[gravest(impacts)] <= IMPACT_ORDER[one] for one in impacts)


def test_life_support_makes_key_whatever_the_tier() -> None:
    assert is_key(Tier.LOW_VOLTAGE, True)
    assert not is_key(Tier.LOW_VOLTAGE, False)
    assert [tier for tier in Tier if is_key(tier, False)] == list(Tier)[:4]
