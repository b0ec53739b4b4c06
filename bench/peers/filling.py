"""Repositories and images put into Berth's tables by SQL, as many as are wanted, as if they had been pushed."""

from pathlib import Path

import psycopg

from bench.samples import REFERRED, REPOSITORY, SUBJECT
from berth.embedded import Cluster

# What the work asks for a page of: as many are there where nothing has grown.
PAGE = 100

_REPOSITORIES = """
INSERT INTO repositories (account, region, name, tag_mutability, encryption)
SELECT account, region, 'grown/' || lpad(number::text, 6, '0'), tag_mutability, encryption
FROM repositories, generate_series(1, %(count)s) AS number WHERE name = %(repository)s
ON CONFLICT DO NOTHING
"""
_IMAGES = """
INSERT INTO images (repository_id, digest, media_type, size, manifest)
SELECT id, 'sha256:' || encode(sha256(number::text::bytea), 'hex'),
       'application/vnd.oci.image.manifest.v1+json', 1000, '\\x7b7d'
FROM repositories, generate_series(1, %(count)s) AS number WHERE name = %(repository)s
ON CONFLICT DO NOTHING
"""
_TAGS = """
INSERT INTO tags (repository_id, tag, digest)
SELECT id, 'v' || number, 'sha256:' || encode(sha256(number::text::bytea), 'hex')
FROM repositories, generate_series(1, %(count)s) AS number WHERE name = %(repository)s
ON CONFLICT DO NOTHING
"""
_REFERRERS = """
INSERT INTO images (repository_id, digest, media_type, artifact_type, subject, size, manifest)
SELECT id, 'sha256:' || encode(sha256(number::text::bytea), 'hex'),
       'application/vnd.oci.image.manifest.v1+json', 'application/vnd.example.sbom', %(subject)s, 1000, '\\x7b7d'
FROM repositories, generate_series(1, %(count)s) AS number WHERE name = %(referred)s
ON CONFLICT DO NOTHING
"""


def fill(folder: Path, repositories: int, images: int) -> None:
    """Put so many repositories, tagged images of one repository, and referrers of one image of another repository, into
    the Berth whose data is in `folder`.
    """
    given = {"repository": REPOSITORY, "referred": REFERRED, "subject": SUBJECT}
    with psycopg.connect(Cluster(folder / "data").url, autocommit=True) as connection:
        filled = ((_REPOSITORIES, repositories), (_IMAGES, images), (_TAGS, images), (_REFERRERS, images))
        for statement, count in filled:
            connection.execute(statement, given | {"count": count})
        # As autovacuum does after so many new rows.
        connection.execute("VACUUM ANALYZE repositories, images, tags")
