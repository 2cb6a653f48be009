"""Who has a number with this end is found as by looking at all of them, whatever was written meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.services import answer_enquiry, correct_contact, numbers_in_force
from outage_notify.services.import_customers import import_customers
from outage_notify.services.numbers_in_force import arrange, whose_number_ends
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from outage_notify.store.people_tables import ContactPoint, Customer
from outage_notify.store.user_tables import Role
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.people import NOW, add_contact, add_customer
from tests.factories.runtimes import make_runtime

numbers = st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True)


@given(known=st.lists(numbers, max_size=30), wanted=numbers, digits=st.integers(1, 15))
def test_it_finds_whose_number_ends_so(known: list[str], wanted: str, digits: int) -> None:
    ending = wanted[1:][-digits:].lstrip("0") or "1"
    for pool in (known, [*known, wanted]):
        made = arrange([str(at) for at in range(len(pool))], pool, len(pool))
        expected = [at for at, one in enumerate(pool) if one.endswith(ending)]
        assert made.ending(ending) == expected


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def found(rt: Runtime, digits: str) -> list[int]:
    with rt.database.read() as session:
        return sorted(whose_number_ends(session, rt, digits))


def test_it_is_never_older_than_the_rows(rt: Runtime) -> None:
    with rt.database.write() as session:
        anna, boris = (
            add_customer(session, name=name, channels=(), backup=False) for name in ("Anna", "Boris")
        )
        first = add_contact(session, anna, Channel.SMS, "+8613912345678")
        add_contact(session, boris, Channel.VOICE, "+862112345678")
        add_contact(session, boris, Channel.EMAIL, "n12345678@example.com")
        people = [anna.id, boris.id]
        account, contact = anna.customer_id, first.id
    assert found(rt, "12345678") == people and found(rt, "912345678") == people[:1]
    assert found(rt, "8613912345678") == people[:1] and found(rt, "999999") == []
    add_user(rt, "dora", "a good long password", [Role.DESK], "test")
    made = sorted(Path(rt.settings.state_dir).rglob("*.numbers"))
    # One number that the desk corrects is found at once, without making the file anew; the old one was hers too.
    correct_contact.correct(rt, "dora", account, Channel.SMS, "+8613900000042", contact)
    assert found(rt, "000042") == people[:1]
    assert sorted(Path(rt.settings.state_dir).rglob("*.numbers")) == made and len(made) == 1
    with rt.database.write() as session:
        session.delete(session.get_one(ContactPoint, contact))
    assert found(rt, "12345678") == people[1:]
    with rt.database.write() as session:
        session.get_one(Customer, people[1]).gone_at = NOW
    # Who has left is not read out, though the number is still known.
    assert answer_enquiry.look_up(rt, "12345678").found == []


def test_an_import_of_numbers_alone_is_seen(rt: Runtime, tmp_path: Path) -> None:
    import_customers(rt, write_customers(tmp_path / "a.csv", [customer_row(1), customer_row(2)]))
    assert found(rt, "13911223344") == []
    changed = [customer_row(1, sms="+8613911223344"), customer_row(2)]
    import_customers(rt, write_customers(tmp_path / "b.csv", changed))
    with rt.database.read() as session:
        mark = numbers_in_force._mark(session)
        assert len(whose_number_ends(session, rt, "13911223344")) == 1
        assert numbers_in_force._mark(session) == mark


def test_a_number_that_very_many_share_is_not_looked_up_for_all(rt: Runtime) -> None:
    made = arrange(map(str, range(2_000)), ["+8621555000"] * 2_000, 0)
    assert len(made.ending("555000")) == 500
    assert found(rt, "1" * 16) == [] and found(rt, "") == []
