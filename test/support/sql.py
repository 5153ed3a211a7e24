"""SQL over libmariadb, which the mariadb client brings: a connection that another thread can break, and clients that
write and read while something is being done to the cluster."""

import contextlib
import ctypes
import os
import socket
import threading
import time

_LIBRARY = ctypes.CDLL("libmariadb.so.3")
_POINTER, _TEXT, _UINT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint
for _name, _result, *_arguments in (
        ("mysql_init", _POINTER, _POINTER),
        ("mysql_options", ctypes.c_int, _POINTER, ctypes.c_int, _POINTER),
        ("mysql_real_connect", _POINTER, _POINTER, _TEXT, _TEXT, _TEXT, _TEXT, _UINT, _TEXT, ctypes.c_ulong),
        ("mysql_get_socket", ctypes.c_int, _POINTER),
        ("mysql_real_query", ctypes.c_int, _POINTER, _TEXT, ctypes.c_ulong),
        ("mysql_store_result", _POINTER, _POINTER),
        ("mysql_fetch_row", ctypes.POINTER(_TEXT), _POINTER),
        ("mysql_num_fields", _UINT, _POINTER),
        # The name is what a MYSQL_FIELD begins with.
        ("mysql_fetch_field_direct", ctypes.POINTER(_TEXT), _POINTER, _UINT),
        ("mysql_free_result", None, _POINTER),
        ("mysql_errno", _UINT, _POINTER),
        ("mysql_error", _TEXT, _POINTER),
        ("mysql_close", None, _POINTER)):
    getattr(_LIBRARY, _name).restype = _result
    getattr(_LIBRARY, _name).argtypes = _arguments
_LIBRARY.mysql_server_init(0, None, None)  # Not safe to leave to the first of several threads.
_CONNECT_TIMEOUT, _READ_TIMEOUT, _WRITE_TIMEOUT = 0, 11, 12
_PROTOCOL, _TCP, _SOCKET = 9, 1, 2


class SqlError(Exception):
    """What the server said, or that it said nothing."""


class Connection:
    """To one server: (host, port), or the path of its socket. Nothing of it may be used by two threads but `abort`."""

    def __init__(self, endpoint, account, patience=60):
        self.endpoint = endpoint
        host, port, path = (None, 0, endpoint) if isinstance(endpoint, str) else (*endpoint, None)
        if host:
            # A host that is cut off is noticed here, within less than the whole seconds that the library counts in.
            try:
                socket.create_connection(endpoint, 0.2).close()
            except OSError as problem:
                raise SqlError(str(problem)) from problem
        self.handle = _LIBRARY.mysql_init(None)
        self.broken = None
        for option, value in ((_CONNECT_TIMEOUT, 2), (_READ_TIMEOUT, patience), (_WRITE_TIMEOUT, patience),
                              (_PROTOCOL, _TCP if host else _SOCKET)):
            _LIBRARY.mysql_options(self.handle, option, ctypes.byref(ctypes.c_uint(value)))
        user, password = account
        if not _LIBRARY.mysql_real_connect(
                self.handle, host and host.encode(), user.encode(), password.encode(), None, port,
                path and path.encode(), 0):
            problem = self.problem()
            _LIBRARY.mysql_close(self.handle)
            raise problem
        self.broken = socket.socket(fileno=os.dup(_LIBRARY.mysql_get_socket(self.handle)))

    def problem(self):
        return SqlError(f"{_LIBRARY.mysql_errno(self.handle)}: "
                        f"{_LIBRARY.mysql_error(self.handle).decode(errors='replace')}")

    def execute(self, statement):
        """Its rows, as tuples of text."""
        return self.query(statement)[1]

    def query(self, statement):
        """The columns' names, and the rows."""
        text = statement.encode()
        if _LIBRARY.mysql_real_query(self.handle, text, len(text)) != 0:
            raise self.problem()
        result = _LIBRARY.mysql_store_result(self.handle)
        if not result:
            if _LIBRARY.mysql_errno(self.handle):
                raise self.problem()
            return (), []
        rows, columns = [], range(_LIBRARY.mysql_num_fields(result))
        while row := _LIBRARY.mysql_fetch_row(result):
            rows.append(tuple(row[column].decode() if row[column] is not None else None for column in columns))
        names = tuple(_LIBRARY.mysql_fetch_field_direct(result, column)[0].decode() for column in columns)
        _LIBRARY.mysql_free_result(result)
        return names, rows

    def abort(self):
        """From any thread: whoever waits for an answer gets an error instead."""
        with contextlib.suppress(OSError):
            self.broken.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.abort()
        self.broken.close()
        _LIBRARY.mysql_close(self.handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client(threading.Thread):
    """Works through one connection, and makes another when that breaks, as fast as it can."""
    PAUSE = 0.02

    def __init__(self, clients, follows):
        super().__init__(daemon=True)
        self.clients, self.directory, self.follows = clients, clients.directory, follows
        self.connection, self.guard = None, threading.Lock()

    def run(self):
        while not self.clients.ended.is_set():
            try:
                if self.connection is None:
                    made = Connection(self.directory.primary, self.clients.account)
                    with self.guard:
                        self.connection = made
                    # `moved` finds a connection only from now on.
                    if self.clients.ended.is_set() or self.is_elsewhere():
                        self.drop()
                        continue
                self.work()
                self.clients.ended.wait(self.PAUSE)
            except SqlError as problem:
                self.clients.problems.append((time.monotonic(), self.name, str(problem)))
                self.drop()
                self.clients.ended.wait(0.005)
        self.drop()

    def drop(self):
        with self.guard:
            dropped, self.connection = self.connection, None
        if dropped is not None:
            dropped.close()

    def is_elsewhere(self):
        """A client that does not follow stays until its connection breaks: what an old primary tells it is believed,
        so nothing of that may be lost either."""
        return self.follows and self.connection.endpoint != self.directory.primary

    def moved(self):
        """Somebody else is primary, or it is over."""
        with self.guard:
            if self.connection is not None and (self.clients.ended.is_set() or self.is_elsewhere()):
                self.connection.abort()


class Writer(Client):
    def __init__(self, clients, number, follows):
        super().__init__(clients, follows)
        self.number, self.drawn, self.acknowledged = number, 0, []

    def work(self):
        # Not tried again after an error: it may have been committed, and another row says as much.
        self.drawn += 1
        row = self.drawn
        self.connection.execute(f"INSERT INTO chaos.w VALUES ({self.number}, {row}, REPEAT('x', 100))")
        self.acknowledged.append((time.monotonic(), row))


class Reader(Client):
    """Remembers the newest rows it saw: what was once readable on a published primary must not vanish. What a server
    shows that was primary, and is no more, may: a transaction that nobody acknowledged, and that is cut there."""
    PAUSE = 0.05

    def __init__(self, clients):
        super().__init__(clients, True)
        self.seen, self.elsewhere = set(), set()

    def work(self):
        for writer in self.clients.writers:
            was_published = self.is_published()
            rows = self.connection.execute(f"SELECT MAX(seq) FROM chaos.w WHERE writer = {writer.number}")
            seen = self.seen if was_published and self.is_published() else self.elsewhere
            seen.update((writer.number, int(row)) for row, in rows if row is not None)

    def is_published(self):
        return self.connection.endpoint == self.directory.published


class Clients:
    """Four writers, of which two go where ZooKeeper says and two stay while they can, and a reader."""
    SCHEMA = ("CREATE DATABASE chaos", "CREATE TABLE chaos.w (writer INT, seq INT, filler VARCHAR(100), "
              "PRIMARY KEY (writer, seq)) ENGINE=InnoDB")

    def __init__(self, directory, account, first):
        self.directory, self.account = directory, account
        self.ended, self.problems, self.marked = threading.Event(), [], 0
        self.writers = [Writer(self, first + number, number < 2) for number in range(4)]
        self.reader = Reader(self)
        self.vanished = []
        self.threads = [*self.writers, self.reader]

    def __enter__(self):
        for thread in self.threads:
            self.directory.listeners.append(thread.moved)
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            with contextlib.suppress(ValueError):
                self.directory.listeners.remove(thread.moved)
            thread.moved()
            thread.join()

    def times(self):
        """Of all acknowledgements, by whoever."""
        return sorted(when for writer in self.writers for when, _ in list(writer.acknowledged))

    def last(self):
        return max((writer.acknowledged[-1][0] for writer in self.writers if writer.acknowledged), default=0)

    def count(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

    @staticmethod
    def now():
        return time.monotonic()

    def mark(self):
        """Gaps count from now on."""
        self.marked = self.now()

    def gap(self):
        """The longest time without any acknowledgement, in seconds."""
        times = self.times()
        return max((later - earlier for earlier, later in zip(times, times[1:]) if later > self.marked), default=0)

    def lost(self, connection):
        """Acknowledged, or read on the primary, and not there: why it is missed, writer, row."""
        there = set()
        for writer in self.writers:
            rows = connection.execute(f"SELECT seq FROM chaos.w WHERE writer = {writer.number}")
            there |= {(writer.number, int(row)) for row, in rows}
        acknowledged = {(writer.number, row) for writer in self.writers for _, row in writer.acknowledged}
        self.vanished = sorted(self.reader.elsewhere - there)
        return [("acknowledged", *row) for row in sorted(acknowledged - there)] + [
            ("read", *row) for row in sorted(self.reader.seen - there - acknowledged)]
