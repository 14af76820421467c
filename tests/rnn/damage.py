"""Files of weights as a bad disk, a bad copy or a bad person leaves them.

Each change takes what a file holds and a generator, and gives what it holds then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np

from rnn import seal

# --- bytes ---------------------------------------------------------------------------------------


def flip_bits(content: bytes, random: Random) -> bytes:
    """One bit or a few."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwrite(content: bytes, random: Random) -> bytes:
    """A stretch of other bytes."""
    at, size = random.randrange(len(content)), random.randrange(1, 40)
    return content[:at] + random.randbytes(size) + content[at + size :]


def cut_or_lengthen(content: bytes, random: Random) -> bytes:
    """Something missing, or something more."""
    at, size = random.randrange(len(content)), random.randrange(1, 40)
    return random.choice((content[:at], content[:at] + content[at + size :], content * 2,
                          content[:at] + random.randbytes(size) + content[at:]))  # fmt: skip


def lie_about_the_head(content: bytes, random: Random) -> bytes:
    """Another length of the header than it has."""
    size, n = len(content), int.from_bytes(content[:8], "little")
    length = random.choice(
        (0, 1, n - 1, n + 1, size, size - 8, size - 9, 10**8 + 1, 2**63 - 1, 2**63, 2**64 - 1)
    )
    return length.to_bytes(8, "little") + content[8:]


# --- the header, which stays JSON ----------------------------------------------------------------


def parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and the numbers behind it."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def whole(header: Mapping[str, Any], numbers: bytes) -> bytes:
    """The file of a header and numbers, as the library writes it."""
    return headed(json.dumps(header, separators=(",", ":")), numbers)


def headed(text: str, numbers: bytes) -> bytes:
    """The file of a header that is given as text."""
    told = text.encode()
    return len(told).to_bytes(8, "little") + told + numbers


def edit_the_table(content: bytes, random: Random) -> bytes:
    """Other dtypes, shapes, places or names of tensors: huge, overlapping, of another kind."""
    header, numbers = parts(content)
    names = sorted(set(header) - {"__metadata__"})
    one, two = random.sample(names, 2)
    match random.randrange(5):
        case 0:
            header[one], header[two] = header[two], header[one]
        case 1:
            header[one]["dtype"] = random.choice(("F16", "F32", "I64", "BF16", "F8_E4M3", "X", 3))
        case 2:
            shape = header[one]["shape"]
            header[one]["shape"] = random.choice(
                (shape[::-1], header[two]["shape"], [], [-1], [2**40], [2**62, 4], [0, 2**63],
                 [10**400], [1.5], [float("nan")], None, "x")
            )  # fmt: skip
        case 3:
            header[one]["data_offsets"] = random.choice(
                (header[two]["data_offsets"], [0, len(numbers)], [0, 2**63], [8, 0], [], None)
            )
        case 4:
            header[random.choice((two, "layer1.W", "", "\0", "__metadata__"))] = header.pop(one)
    return whole(header, numbers)


def repeat_or_spoil_keys(content: bytes, random: Random) -> bytes:
    """Keys that come twice, or are none."""
    header, numbers = parts(content)
    one, two = random.sample(sorted(header), 2)
    text = json.dumps(header, separators=(",", ":"))
    more = json.dumps({one: header[two]}, separators=(",", ":"))
    again = json.dumps({one: header[one]}, separators=(",", ":"))
    return headed(
        random.choice(
            (f"{text[:-1]},{more[1:]}", f"{text[:-1]},{again[1:]}", f"{more[:-1]},{text[1:]}",
             *(text.replace(json.dumps(one), name) for name in ("NaN", "3", "null", '"', "")))
        ), numbers,
    )  # fmt: skip


def edit_the_metadata(content: bytes, random: Random) -> bytes:
    """Another text in place of a part of the format, cell, parameters or extras."""
    header, numbers = parts(content)
    about = header["__metadata__"]
    key = random.choice(sorted(about))
    old, at = about[key], random.randrange(len(about[key]))
    about[key] = random.choice(
        (old[:at], old[:at] + random.choice('0129"{}[],:xé') + old[at + 1 :], "", "null", 5, "NaN",
         "[" * 9000, '{"class":"Dense","inputs":1e999,"outputs":2}',
         '{"class":"LSTMCell","inputs":1000000000,"hidden":1000000000}',
         *(old.replace(*pair) for pair in (("LSTM", "GRU"), ("xf", "xi"), ("4", "5"))))
    )  # fmt: skip
    if random.random() < 0.2:
        del about[key]
    return whole(header, numbers)


def swap_or_spoil_numbers(content: bytes, random: Random) -> bytes:
    """Finite numbers in other places, or numbers that are not finite."""
    header, numbers = parts(content)
    values = np.frombuffer(numbers, np.float64).copy()
    k, j = random.sample(range(len(values)), 2)
    if random.random() < 0.5:
        values[[k, j]] = values[[j, k]]
    else:
        values[k] = random.choice((np.nan, np.inf, -np.inf, -values[k], 0.0, 1e308))
    return whole(header, values.tobytes())


def swell(content: bytes, random: Random) -> bytes:
    """A header of hundreds of kilobytes that a parser makes many times as much of."""
    header, numbers = parts(content)
    about, many = header["__metadata__"], random.randrange(1000, 5000)
    match random.randrange(4):
        case 0:
            empty = {"dtype": "F64", "shape": [0], "data_offsets": [0, 0]}
            header |= {f"a{k}": empty for k in range(many)}
        case 1:
            about |= {f"a{k}": "" for k in range(10 * many)}
        case 2:
            about[random.choice(("cell", "params", "metadata"))] = f"[{'[],' * 50 * many}[]]"
        case 3:
            layers = ",".join(['{"class":"Dense","inputs":3,"outputs":3}'] * many)
            about["cell"] = f'{{"class":"Stack","layers":[{layers}]}}'
    return whole(header, numbers)


WELL_FORMED = (edit_the_table, edit_the_metadata, swap_or_spoil_numbers)
CHANGES = (
    flip_bits, overwrite, cut_or_lengthen, lie_about_the_head, repeat_or_spoil_keys, *WELL_FORMED
)  # fmt: skip


def sealed(content: bytes) -> bytes:
    """The file with the checksum that belongs to what it holds now, where it can be read."""
    try:
        header, numbers = parts(content)
        header["__metadata__"][seal.KEY] = seal.BLANK
        return seal.sealed(whole(header, numbers))
    except (ValueError, KeyError, TypeError):
        return content
