"""Leases: work that one process at a time does for all, and that another takes over when it is dead."""

from __future__ import annotations

from datetime import timedelta

from ..models import utcnow
from .base import Records


class LeaseRecords(Records):
    """Who does what for all."""

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; False while another has it.

        Parameters
        ----------
        name : str
            What is done: ``meter``, ``evict``, ``registry-states``.
        holder : str
            The process, as :class:`~jupyter_image_manager.processes.ProcessIdentity` writes itself.
        seconds : float
            For how long, unless it is renewed or :meth:`give_back` ends it.
        """
        from .tables import LeaseRow

        now = utcnow()
        with self._session(write=True) as session:
            row = session.get(LeaseRow, name)
            if row is not None and row.holder != holder and row.until > now:
                return False
            session.merge(LeaseRow(name=name, holder=holder, until=now + timedelta(seconds=seconds)))
            return True

    def give_back(self, name: str, holder: str) -> None:
        """End a lease of one's own."""
        from .tables import LeaseRow

        with self._session(write=True) as session:
            row = session.get(LeaseRow, name)
            if row is not None and row.holder == holder:
                session.delete(row)
