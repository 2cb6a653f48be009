"""Pictures that a phone sends: a signature drawn with the finger, a photograph of a visit.

Promises: what is kept was decoded and encoded anew, so that nothing but the picture is in it; where a photograph was
taken is left out unless somebody wishes to keep it; a broken, huge or foreign file is refused in words.
"""

from __future__ import annotations

import base64
import binascii
from io import BytesIO

from PIL import ExifTags, Image, ImageOps

from outage_notify.domain.errors import InvalidInput

LARGEST_PHOTO = 25 * 1024 * 1024
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 1600
_LARGEST_SIGNATURE = 192 * 1024
_SIGNATURE_SIDE = 1200
_DATA = "data:image/png;base64,"


def photo(content: bytes, keep_place: bool = False) -> bytes:
    """A JPEG of at most 1600 pixels a side, upright. InvalidInput says what is wrong with the file.

    `keep_place`: the position that the camera wrote stays in it; nothing else of what it wrote does.
    """
    if len(content) > LARGEST_PHOTO:
        raise InvalidInput("The photograph is larger than 25 MB.", "Take it with fewer pixels, or send none.")
    try:
        with Image.open(BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as found:
            if found.width * found.height > MOST_PIXELS:
                raise InvalidInput(
                    "The photograph has more than 60 million pixels.",
                    "Take it with fewer pixels, or send none.",
                )
            place = dict(found.getexif().get_ifd(ExifTags.IFD.GPSInfo)) if keep_place else {}
            # Halved while it is decoded: a phone's picture is mostly larger than what is kept.
            found.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(found).convert("RGB")
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    except InvalidInput:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidInput(
            "The photograph can't be read.", "Take it again as JPEG, PNG or WebP, or send none."
        ) from None
    # A picture that shares nothing with the file but its pixels.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    exif = Image.Exif()
    if place:
        exif[ExifTags.IFD.GPSInfo] = place
    out = BytesIO()
    clean.save(out, "JPEG", quality=82, exif=exif.tobytes() if place else b"")
    return out.getvalue()


def signature(data: str) -> bytes:
    """A PNG from what the page's canvas hands over; b"" where nothing was drawn. InvalidInput if it is none."""
    if not data:
        return b""
    wrong = InvalidInput("The signature can't be read.", "Sign again, or send the name alone.")
    if not data.startswith(_DATA) or len(data) > _LARGEST_SIGNATURE:
        raise wrong
    try:
        content = base64.b64decode(data.removeprefix(_DATA), validate=True)
        with Image.open(BytesIO(content), formats=["PNG"]) as found:
            if max(found.size) > 2 * _SIGNATURE_SIDE or min(found.size) < 20:
                raise wrong
            drawn = found.convert("RGBA")
    except (OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError):
        raise wrong from None
    paper = Image.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn)
    grey = paper.convert("L")
    darkest, lightest = grey.getextrema()
    if darkest == lightest:  # nothing but one colour: an empty field
        return b""
    grey.thumbnail((_SIGNATURE_SIDE, _SIGNATURE_SIDE))
    out = BytesIO()
    grey.save(out, "PNG", optimize=True)
    return out.getvalue()
