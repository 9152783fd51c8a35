"""Pictures to check, and what is asked of a report."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter


def picture(seed, size=(48, 64), channels=3):
    """A smooth picture of its own for every seed, values 30 to 220, uint8 `(*size, channels)`."""
    random = np.random.default_rng(seed)
    # As in photographs, most of what there is to see is in all colours.
    noise = random.normal(size=(*size, 1)) + 0.3 * random.normal(size=(*size, channels))
    smooth = gaussian_filter(noise, (*[max(size) / 24] * len(size), 0), mode="constant")
    return np.interp(smooth, (smooth.min(), smooth.max()), (30, 220)).astype(np.uint8)


def kinds(report):
    return {finding.check for finding in report.findings}


def only(report, check):
    """The one finding of a kind."""
    found = [finding for finding in report.findings if finding.check == check]
    assert len(found) == 1, report.text()
    return found[0]


CLEAN = "path,label,patient,split,site\n" + "".join(
    f"{number}.png,{'ill' if number % 2 else 'well'},p{number},{'train' if number < 8 else 'test'},east\n"
    for number in range(12)
)


def jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=50)
    return np.asarray(Image.open(buffer))


def png(image, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", **options)
    return buffer.getvalue()


def resized(image, factor):
    return np.asarray(Image.fromarray(image).resize((int(image.shape[1] * factor), int(image.shape[0] * factor))))
