"""Rows of a customers' file that wait on disk come back customer by customer, in whatever order the file has them."""

from __future__ import annotations

import pytest

from outage_notify.store.customer_staging import Staging


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("BBAAC", [1, 2, 3, 4, 5]),
        ("ABAC", [1, 3, 2, 4]),
        ("A-BB-", [1, 3, 4]),
        ("A-A-B", [1, 3, 5]),
        ("", []),
    ],
)
def test_the_rows_of_a_customer_come_together_and_in_the_order_of_lines(
    written: str, read: list[int]
) -> None:
    with Staging(("customer_id", "service_point_id", "site_id")) as staging:
        for line, name in enumerate(written, start=1):
            staging.add(line, [name.strip("-"), f"P{line}", f"S{line}"])
        staging.seal()
        found = list(staging.by_customer())
    assert [line for line, _ in found] == read
    assert [cells["customer_id"] for _, cells in found] == [written[line - 1] for line in read]
    assert [cells["service_point_id"] for _, cells in found] == [f"P{line}" for line in read]
