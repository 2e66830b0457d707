"""Edits of the embedded engine's machine code, in memory, that let it be a replica. For tests only, and for one build.

chdb-core has ReplicatedMergeTree and a ZooKeeper client, but not `interserver_http_port`: it has no address under
which other replicas fetch parts from it, and nothing that serves them (README.md has the request to its makers). Four
places are found by their bytes in the loaded library:

* `getInterserverIOAddress` returns the address given here;
* `getInterserverCredentials` returns empty credentials, `getInterserverScheme` returns http;
* `createHandlerFactory` makes the handler that serves parts in place of an HTTP handler.

Any other build is refused: `BUILD`. For a new one the places have to be found again.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
from pathlib import Path

BUILD = "bdc4640446f9e58ef835635e38764a5992cd4b3c"
"""The build ID of `_chdb.abi3.so` in chdb-core 26.9.0 for x86_64."""
MACHINE = "x86_64"

_ADDRESS = bytes.fromhex("415653 4883ec48 4c8b36 490fbe8e67010000 4885c9 498b9658010000")
_CREDENTIALS = bytes.fromhex("41574156534c8b3f498d9f88010000")
_SCHEME = bytes.fromhex("488b0680b88701000000")
_FACTORY = bytes.fromhex("c4e27917c0 0f1f4000 0f84")
_LENGTH = bytes.fromhex(
    "4883f820400f94c7"
)  # cmp rax, 32; sete dil: of "InterserverIOHTTPHandler-factory"
_BRANCH = bytes.fromhex("c4e27d17c074")  # vptest ymm0, ymm0; je
_BUILD_NOTE = bytes.fromhex("04000000 14000000 03000000") + b"GNU\0"
_NOTES = 4
"""PT_NOTE, the type of a segment."""
_LONGEST = 22
"""Characters of a string that libc++ stores in the string itself."""

_libc = ctypes.CDLL(None, use_errno=True)
_stored: list[object] = []
"""What the edited code refers to."""


class OtherBuild(Exception):
    """The engine is not the build that the edits are for."""


def require_build(library: Path) -> None:
    """Raise OtherBuild unless the library is the build that the edits are for."""
    if (found := build_of(library)) != BUILD:
        raise OtherBuild(
            f"The tests of replicas edit the machine code of chdb-core 26.9.0 for {MACHINE} (build {BUILD}), and "
            f"{library} is build {found}. Find the places of tests/store/replicated/machine_code.py in it, or run "
            "these tests with stock servers (tests/store/replicated/README.md)."
        )


def build_of(library: Path) -> str:
    """The build ID of an ELF file in hex; empty without one."""
    with library.open("rb") as file:
        header = file.read(64)
        first, size, number = struct.unpack_from("<32xQ14xHH", header)
        file.seek(first)
        for kind, offset in struct.iter_unpack("<I4xQ40x", file.read(size * number)):
            if kind == _NOTES:
                file.seek(offset)
                return file.read(36).removeprefix(_BUILD_NOTE).hex()
    return ""


def edit(library: Path, host: str, port: int) -> None:
    """Let the loaded library be a replica from which others fetch parts at host:port."""
    require_build(library)
    low, code = _code_of(library)
    first = _only(code, _ADDRESS, "getInterserverIOAddress")
    credentials = code.rfind(_CREDENTIALS, first - 256, first)
    scheme = code.find(_SCHEME, first, first + 512)
    branch, target = _factory(code)
    if min(credentials, scheme) < 0:
        raise OtherBuild("getInterserverCredentials or getInterserverScheme was not found")
    _write(low + first, _returns(_string(host) + port.to_bytes(2, "little") + bytes(6)))
    _write(low + credentials, _returns_pointer(_no_credentials()))
    _write(low + scheme, _returns(_string("http")))
    _write(low + branch, b"\x0f\x84" + (target - branch - 6).to_bytes(4, "little", signed=True))


def _code_of(library: Path) -> tuple[int, bytes]:
    """Where the library's code is in memory, and the code."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(library.resolve())) and " r-xp " in line:
            low, high = (int(number, 16) for number in line.split()[0].split("-"))
            return low, ctypes.string_at(low, high - low)
    raise OtherBuild(f"{library} is not loaded")


def _only(code: bytes, pattern: bytes, name: str) -> int:
    first = code.find(pattern)
    if first < 0 or code.find(pattern, first + 1) >= 0:
        raise OtherBuild(f"{name} was not found, or not once")
    return first


def _factory(code: bytes) -> tuple[int, int]:
    """Where `createHandlerFactory` branches for HTTPHandler-factory, and where it goes for the one of replicas."""
    found = []
    for match in re.finditer(re.escape(_FACTORY), code):
        behind = code[match.start() : match.start() + 0x60]
        length, branch = behind.find(_LENGTH), behind.find(_BRANCH)
        if 0 < length < branch:
            jump = behind[branch + len(_BRANCH)]
            found.append((match.start() + 9, match.start() + branch + len(_BRANCH) + 1 + jump))
    if len(found) != 1:
        raise OtherBuild(f"createHandlerFactory: {len(found)} places")
    return found[0]


def _store(data: bytes) -> int:
    """The address of bytes that stay."""
    buffer = ctypes.create_string_buffer(data, len(data))
    _stored.append(buffer)
    return ctypes.addressof(buffer)


def _string(text: str) -> bytes:
    """A short std::string of libc++."""
    if len(text) > _LONGEST:
        raise ValueError(f"{text!r} has more than {_LONGEST} characters")
    return text.encode().ljust(23, b"\0") + bytes([len(text)])


def _no_credentials() -> int:
    """An InterserverCredentials without any."""
    pair = _store(bytes(48))
    return _store(bytes(48) + pair.to_bytes(8, "little") + (pair + 48).to_bytes(8, "little") * 2)


def _returns(value: bytes) -> bytes:
    """Code of a function that returns a value by the pointer in rdi."""
    code = b"\x48\xb8" + _store(value).to_bytes(8, "little")  # mov rax, value
    for offset in range(0, len(value), 8):  # mov rcx, [rax + offset]; mov [rdi + offset], rcx
        code += b"\x48\x8b\x48" + bytes([offset]) + b"\x48\x89\x4f" + bytes([offset])
    return code + b"\x48\x89\xf8\xc3"  # mov rax, rdi; ret


def _returns_pointer(address: int) -> bytes:
    """Code of a function that returns a shared_ptr without a count, in rax and rdx."""
    return b"\x48\xb8" + address.to_bytes(8, "little") + b"\x31\xd2\xc3"


def _write(at: int, data: bytes) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    low, high = at // page * page, -(-(at + len(data)) // page) * page
    _protect(low, high - low, 7)
    ctypes.memmove(at, data, len(data))
    _protect(low, high - low, 5)


def _protect(low: int, size: int, rights: int) -> None:
    if _libc.mprotect(ctypes.c_void_p(low), ctypes.c_size_t(size), rights):
        raise OSError(ctypes.get_errno(), "mprotect")
