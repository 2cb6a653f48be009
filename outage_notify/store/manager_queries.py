"""Grid managers, how much each has to look after, and the moves by which it passes to another."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import String, Table, func, or_, select, update
from sqlalchemy.orm import Session

from outage_notify.store import publication
from outage_notify.store.listed import dialect_of, one_of, values_of
from outage_notify.store.manager_tables import ManagerArea, ManagerName
from outage_notify.store.people_tables import GridManager, ServicePoint
from outage_notify.store.work_tables import Task, TaskKind

# Who is responsible changes nothing of who hangs on which load: written past the objects, whose change would tell so.
_points = cast(Table, ServicePoint.__table__)


class Burden(NamedTuple):
    """What one manager has to look after."""

    service_points: int
    visits: int


def managers(session: Session) -> list[GridManager]:
    """All, those who have left as well, by name."""
    return list(session.scalars(select(GridManager).order_by(GridManager.name, GridManager.id)))


def burdens(session: Session) -> dict[int, Burden]:
    """By manager; who has nothing is left out."""
    points = dict(
        session.execute(
            select(ServicePoint.grid_manager_ref, func.count())
            .where(ServicePoint.gone_at.is_(None), ServicePoint.grid_manager_ref.is_not(None))
            .group_by(ServicePoint.grid_manager_ref)
        ).all()
    )
    visits = dict(
        session.execute(
            select(Task.grid_manager_ref, func.count())
            .where(Task.done_at.is_(None), Task.kind == TaskKind.VISIT, Task.grid_manager_ref.is_not(None))
            .group_by(Task.grid_manager_ref)
        ).all()
    )
    return {
        one: Burden(points.get(one, 0), visits.get(one, 0)) for one in {*points, *visits} if one is not None
    }


def by_id(session: Session, number: int) -> GridManager | None:
    return session.get(GridManager, number)


def called(session: Session, name: str, phone: str) -> GridManager | None:
    return session.scalar(select(GridManager).where(GridManager.name == name, GridManager.phone == phone))


def known_as(session: Session) -> dict[tuple[str, str], int | None]:
    """Who is meant by each (name, telephone) of a file."""
    rows = session.execute(select(GridManager.name, GridManager.phone, GridManager.id))
    found: dict[tuple[str, str], int | None] = {(name, phone): number for name, phone, number in rows}
    names = session.execute(select(ManagerName.name, ManagerName.phone, ManagerName.manager_ref))
    return found | {(name, phone): number for name, phone, number in names}


def remember_name(session: Session, name: str, phone: str, manager: int | None) -> None:
    """Files that still say (name, phone) mean `manager` from now on."""
    session.merge(ManagerName(name=name, phone=phone, manager_ref=manager))


def forget_name(session: Session, name: str, phone: str) -> None:
    """(name, phone) means whoever is called so."""
    found = session.get(ManagerName, (name, phone))
    if found is not None:
        session.delete(found)


def hand_over(session: Session, manager: int, successor: int | None) -> int:
    """Everything of a manager passes to another or to nobody; returns how many service points."""
    session.execute(
        update(ManagerName).where(ManagerName.manager_ref == manager).values(manager_ref=successor)
    )
    session.execute(
        update(Task)
        .where(Task.grid_manager_ref == manager, Task.done_at.is_(None))
        .values(grid_manager_ref=successor)
    )
    session.execute(
        update(GridManager).where(GridManager.deputy_ref == manager).values(deputy_ref=None, away=False)
    )
    session.execute(
        update(_points).where(_points.c.named_manager_ref == manager).values(named_manager_ref=successor)
    )
    moved = session.execute(
        update(_points).where(_points.c.grid_manager_ref == manager).values(grid_manager_ref=successor)
    )
    publication.wrote(session, GridManager)
    return _count(moved)


def areas(session: Session, manager: int | None = None) -> list[ManagerArea]:
    """Those that stand, of one manager or of all, the oldest first."""
    statement = select(ManagerArea).where(ManagerArea.ended_at.is_(None)).order_by(ManagerArea.id)
    if manager is not None:
        statement = statement.where(ManagerArea.manager_ref == manager)
    return list(session.scalars(statement))


def area(session: Session, number: int) -> ManagerArea | None:
    return session.get(ManagerArea, number)


def pass_areas(session: Session, manager: int, successor: int | None, now: datetime, by: str) -> None:
    """Areas of a manager pass to another; without one they end."""
    mine = update(ManagerArea).where(ManagerArea.manager_ref == manager, ManagerArea.ended_at.is_(None))
    values: dict[str, Any] = {"manager_ref": successor} if successor else {"ended_at": now, "ended_by": by}
    session.execute(mine.values(**values))


def points_by_area(session: Session) -> dict[int, int]:
    """How many present service points lie in each area."""
    rows = session.execute(
        select(ServicePoint.area_ref, func.count())
        .where(ServicePoint.area_ref.is_not(None), ServicePoint.gone_at.is_(None))
        .group_by(ServicePoint.area_ref)
    )
    return {number: count for number, count in rows if number is not None}


def elements_in_areas(session: Session) -> set[str]:
    """The loads whose service points say now that an area decides them."""
    return set(
        session.scalars(select(ServicePoint.element).where(ServicePoint.area_ref.is_not(None)).distinct())
    )


def leave_areas(session: Session, elements: Collection[str]) -> int:
    """The service points on these loads are whose the file names again; returns how many."""
    if not elements:
        return 0
    dialect = dialect_of(session)
    left = session.execute(
        update(_points)
        .where(one_of(dialect, _points.c.element, "elements", String()), _points.c.area_ref.is_not(None))
        .values(grid_manager_ref=_points.c.named_manager_ref, named_manager_ref=None, area_ref=None),
        values_of(dialect, "elements", list(elements)),
    )
    publication.wrote(session, GridManager)
    return _count(left)


def enter_area(session: Session, area: int, manager: int, elements: Collection[str]) -> int:
    """The service points on these loads are the manager's by way of an area; whom the file names is kept
    beside. Returns how many changed hands."""
    if not elements:
        return 0
    dialect = dialect_of(session)
    on_loads = one_of(dialect, _points.c.element, "elements", String())
    given = values_of(dialect, "elements", list(elements))
    fresh = session.execute(
        update(_points)
        .where(on_loads, _points.c.area_ref.is_(None))
        .values(named_manager_ref=_points.c.grid_manager_ref, grid_manager_ref=manager, area_ref=area),
        given,
    )
    differs = or_(_points.c.area_ref != area, _points.c.grid_manager_ref.is_distinct_from(manager))
    other = session.execute(
        update(_points).where(on_loads, differs).values(grid_manager_ref=manager, area_ref=area), given
    )
    publication.wrote(session, GridManager)
    return _count(fresh) + _count(other)


def _count(result: Any) -> int:
    return int(result.rowcount)
