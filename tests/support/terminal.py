"""A program on a terminal of its own, of a given size: what it shows there, and what a user types."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from support.world import DEADLINE, Failed, die_with_parent


class Terminal:
    def __init__(self, arguments, columns=80, rows=24, env=None, stdout=None):
        self.arguments, self.columns, self.rows, self.stdout = [str(a) for a in arguments], columns, rows, stdout
        self.env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        self.env.update({"TERM": "xterm", **(env or {})})
        self.shown = ""

    def __enter__(self):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        self.process = subprocess.Popen(self.arguments, stdin=slave, stdout=self.stdout or slave, stderr=slave, env=self.env,
                                        start_new_session=True, preexec_fn=die_with_parent)
        os.close(slave)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, deadline):
        """Takes what is there; False when nothing will come any more."""
        seen, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if not seen:
            raise Failed(self.arguments, subprocess.CompletedProcess(self.arguments, None, self.shown, "nothing more is shown"))
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def until(self, text):
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown:
            assert self._read(deadline), self.shown

    def end(self):
        """To its end; the exit status."""
        deadline = time.monotonic() + DEADLINE
        while self._read(deadline):
            pass
        return self.process.wait(DEADLINE)


def show(arguments, columns=80, env=None, stdout=None):
    """What a command shows on a terminal, and its exit status."""
    with Terminal(arguments, columns, env=env, stdout=stdout) as terminal:
        status = terminal.end()
        return terminal.shown.replace("\r\n", "\n"), status
