"""Grid managers and how much each has to look after."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outage_notify.store.people_tables import GridManager, ServicePoint
from outage_notify.store.work_tables import Task, TaskKind


def areas(session: Session) -> list[tuple[str, str, int, int, int, str, str]]:
    """(name, phone, service points, visits that wait, id, office, its telephone) of each, by name."""
    points = (
        select(ServicePoint.grid_manager_ref, func.count().label("points"))
        .where(ServicePoint.gone_at.is_(None))
        .group_by(ServicePoint.grid_manager_ref)
        .subquery()
    )
    visits = (
        select(Task.grid_manager_ref, func.count().label("visits"))
        .where(Task.done_at.is_(None), Task.kind == TaskKind.VISIT)
        .group_by(Task.grid_manager_ref)
        .subquery()
    )
    statement = (
        select(
            GridManager.name,
            GridManager.phone,
            func.coalesce(points.c.points, 0),
            func.coalesce(visits.c.visits, 0),
            GridManager.id,
            GridManager.office,
            GridManager.office_phone,
        )
        .outerjoin(points, points.c.grid_manager_ref == GridManager.id)
        .outerjoin(visits, visits.c.grid_manager_ref == GridManager.id)
        .order_by(GridManager.name, GridManager.id)
    )
    return [tuple(row) for row in session.execute(statement)]


def by_id(session: Session, number: int) -> GridManager | None:
    return session.get(GridManager, number)
