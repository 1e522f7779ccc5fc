"""libcollega from Python, through its C interface alone: what a vendor's program can do, a test can do."""
import ctypes
import json
import select
import time

from pathlib import Path

from support.world import DEADLINE, binaries, call

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

OK, USAGE, INVALID, REFUSED, NOT_FOUND = range(5)
START_NOW, START_BEGINNING = 0, 1
ONCE = 1


def compiler():
    """Of programs that load the library; a sanitizer's library wants the sanitizer of the compiler that made it."""
    for build, sanitizer in (("asan", "address,undefined"), ("tsan", "thread")):
        if build in str(binaries()):
            return ["clang-14", f"-fsanitize={sanitizer}"]
    return ["cc"]


def build_program(prefix, source, program, *packages):
    """A program, built as docs/integrator.md says, against the tree installed in `prefix`; the environment that it runs in."""
    flags = call(["pkg-config", "--cflags", "--libs", "collega", *packages],
                 env={"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}).stdout.split()
    call([*compiler(), "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags])
    return {"LD_LIBRARY_PATH": str(prefix / "lib")}


def build_example(tmp_path, name):
    """An example, built from an installed tree; and the environment that it runs in."""
    prefix, program = tmp_path / "prefix", tmp_path / name
    call(["cmake", "--install", binaries(), "--prefix", prefix])
    return program, build_program(prefix, EXAMPLES / f"{name}.c", program, "jansson")


class Failure(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("code", ctypes.c_int), ("rule", ctypes.c_char * 64),
                ("field", ctypes.c_char * 96), ("text", ctypes.c_char * 1024)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("home", ctypes.c_char_p), ("language", ctypes.c_int),
                ("party", ctypes.c_char_p)]


class Refusal(Exception):
    def __init__(self, failure):
        super().__init__(f"{failure.code} {failure.rule.decode()} [{failure.field.decode()}] {failure.text.decode()}")
        self.code, self.rule = failure.code, failure.rule.decode()


class Library:
    """An open home, for its host or another party of it. Calls are methods named as the functions without `collega_`: what they give as JSON is returned."""

    def __init__(self, home, language=0, party=None):
        self.library = ctypes.CDLL(str(binaries() / "libcollega.so"))
        self.library.collega_free.argtypes = [ctypes.c_void_p]
        self.handle = ctypes.c_void_p()
        failure = Failure(ctypes.sizeof(Failure))
        options = Options(ctypes.sizeof(Options), str(home).encode(), language, party and party.encode())
        if self.library.collega_open(ctypes.byref(options), ctypes.byref(self.handle), ctypes.byref(failure)) != OK:
            raise Refusal(failure)

    def close(self):
        self.library.collega_close(ctypes.byref(self.handle))

    @staticmethod
    def _plain(argument):
        if isinstance(argument, str):
            return ctypes.c_char_p(argument.encode())
        return argument

    def bare(self, name, *arguments):
        failure = Failure(ctypes.sizeof(Failure))
        code = getattr(self.library, f"collega_{name}")(self.handle, *map(self._plain, arguments), ctypes.byref(failure))
        if code != OK:
            raise Refusal(failure)

    def __call__(self, name, *arguments):
        answer = ctypes.c_void_p()
        self.bare(name, *arguments, ctypes.byref(answer))
        if not answer.value:
            return None
        try:
            return json.loads(ctypes.string_at(answer))
        finally:
            self.library.collega_free(answer)

    def text(self, document):
        """A document as the two arguments that functions take."""
        written = json.dumps(document).encode()
        return ctypes.c_char_p(written), ctypes.c_size_t(len(written))

    def publish(self, offer, flags=0):
        answer = self("offers_publish", *self.text(offer), ctypes.c_uint(flags))
        return answer["offers"][0]["id"]

    def follow(self, consumer, start=START_NOW):
        self.bare("follow", consumer, start)

    def wait_for(self, wanted):
        """The first event that `wanted` says yes to; what comes before is acknowledged and put into `seen`."""
        until, self.seen = time.monotonic() + DEADLINE, []
        while True:
            event = self("next_event")
            if event is None:
                left = until - time.monotonic()
                assert left > 0, [(e["event"], e.get("what")) for e in self.seen]
                select.select([self.library.collega_fd(self.handle)], [], [], min(left, 5))
                continue
            self.seen.append(event)
            self.bare("acknowledge", event["id"])
            if wanted(event):
                return event
