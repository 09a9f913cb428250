"""Hashed passwords in a file, one user a line: `name:scrypt$<log2 n>$<r>$<p>$<salt>$<hash>`.

Is: hashing, checking in constant time, and rewriting the file. Is not: sessions (see `login.py`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# N = 2^15, r = 8, p = 3: 32 MiB and about 0.3 s a check on an old core.
# Source: OWASP, Password Storage Cheat Sheet, scrypt: of its equal choices, one that small machines can bear.
_LOG2_N, _R, _P = 15, 8, 3
_SALT_BYTES, _HASH_BYTES = 16, 32
# scrypt refuses to use more than this; 128 · N · r bytes are needed.
_MAX_MEMORY_BYTES = 128 * 1024 * 1024
# Source: NIST SP 800-63B, section 5.1.1.2: at least 8 characters, at least 64 allowed.
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 256
_USER = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A password's scrypt hash with what it was made with."""

    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        parts = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return "$".join(("scrypt", str(self.log2_n), str(self.r), str(self.p), *parts))

    def matches(self, password: str) -> bool:
        """Say whether this is the hash of `password`, in the same time either way."""
        return hmac.compare_digest(_scrypt(password, self), self.digest)


# Checked when there is no such user, so that an unknown name takes as long as a wrong password.
_NOBODY = PasswordHash(_LOG2_N, _R, _P, bytes(_SALT_BYTES), bytes(_HASH_BYTES))


def hash_password(password: str) -> PasswordHash:
    """Return a new salted hash.

    Raises:
        ValueError: the password is too short or too long.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise ValueError(f"a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")
    fresh = PasswordHash(_LOG2_N, _R, _P, secrets.token_bytes(_SALT_BYTES), b"")
    return PasswordHash(_LOG2_N, _R, _P, fresh.salt, _scrypt(password, fresh))


def check_password(users: Mapping[str, PasswordHash], user: str, password: str) -> bool:
    """Say whether `user` exists and this is the password; an unknown name takes as long as a wrong password."""
    known = users.get(user)
    right = (known or _NOBODY).matches(password[:MAX_PASSWORD_CHARS])
    return right and known is not None and len(password) <= MAX_PASSWORD_CHARS


def read_passwords(path: Path) -> dict[str, PasswordHash]:
    """Read a password file; blank lines and lines that begin with "#" are skipped.

    Raises:
        ValueError: the file cannot be read, holds no user, or a line is wrong: nobody is let in by mistake.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"password file {path} cannot be read: {error}") from error
    users: dict[str, PasswordHash] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        user, _, written = line.strip().partition(":")
        try:
            name = _checked(user)
            users[name] = _parse(written)
        except (ValueError, binascii.Error) as error:
            raise ValueError(
                f"password file {path}, line {number}: {error}; write it with 'followup passwd'"
            ) from error
    if not users:
        raise ValueError(f"password file {path} holds no user: add one with 'followup passwd NAME --passwords {path}'")
    return users


def set_password(path: Path, user: str, password: str) -> None:
    """Write a user's new password into the file, which is made (readable by its owner alone) if it is missing.

    Raises:
        ValueError: the name or the password cannot be used, the file is damaged, or its folder is missing.
    """
    if not path.parent.is_dir():
        raise ValueError(f"no folder {path.parent}: make it first, or choose another --passwords")
    users = read_passwords(path) if path.exists() and path.stat().st_size else {}
    users[_checked(user)] = hash_password(password)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{known}:{entry}\n" for known, entry in users.items())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _checked(user: str) -> str:
    if not _USER.fullmatch(user):
        raise ValueError(f"user {user[:70]!r}: use 1 to 64 letters, digits and . _ @ + -")
    return user


def _parse(written: str) -> PasswordHash:
    parts = written.split("$")
    if len(parts) != 6 or parts[0] != "scrypt":
        raise ValueError("not of the form name:scrypt$…")
    log2_n, r, p = (int(part) for part in parts[1:4])
    salt, digest = (base64.b64decode(part, validate=True) for part in parts[4:])
    if not (10 <= log2_n <= 20 and 1 <= r <= 16 and 1 <= p <= 16) or 128 * r << log2_n > _MAX_MEMORY_BYTES // 2:
        raise ValueError("scrypt's cost is out of range")
    if len(salt) < 8 or len(digest) < 16:
        raise ValueError("the salt or the hash is too short")
    return PasswordHash(log2_n, r, p, salt, digest)


def _scrypt(password: str, entry: PasswordHash) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=entry.salt,
        n=1 << entry.log2_n,
        r=entry.r,
        p=entry.p,
        maxmem=_MAX_MEMORY_BYTES,
        dklen=len(entry.digest) or _HASH_BYTES,
    )
