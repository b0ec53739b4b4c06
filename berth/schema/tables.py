"""What all tables share: the collection that they are in, how their constraints are named, and the types of columns.

Names that are compared or paged are in the collation "C": byte order, the same on every server.
"""

from sqlalchemy import Column, DateTime, MetaData, Text, func

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

Name = Text(collation="C")
Moment = DateTime(timezone=True)


def now_column(name: str) -> Column[object]:
    return Column(name, Moment, nullable=False, server_default=func.now())
