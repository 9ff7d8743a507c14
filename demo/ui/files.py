"""Files in Gradio's own code: every upload gets a path that nobody can guess, and an event accepts only uploads."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio import route_utils
from gradio.utils import get_upload_folder

from transxnet.errors import ImageError

from ..i18n.translate import message
from ..uploads import UploadedFiles, check_upload, contains_file


class _RandomlyNamedUpload(route_utils.GradioUploadFile):
    """Gradio names an upload's folder by the digest of its content; with a salt, the path is known to its sender only.

    Without it, who has an image could upload it too, see the digest, and ask whether there is a file of another name in
    that folder: whether somebody else has uploaded the same image, and what they call it.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sha.update(secrets.token_bytes(32))


def name_uploads_randomly() -> None:
    """From now on, in every Gradio app of this process. Calling it again changes nothing."""
    route_utils.GradioUploadFile = _RandomlyNamedUpload


def check_inputs(takes_file: Sequence[bool], inputs: Sequence[Any], uploads: UploadedFiles) -> list[Any]:
    """An event's values with every file reference checked, before Gradio opens or downloads what they name.

    Args:
        takes_file: for each input component, whether it takes a file.
        inputs: the values as they came with the request; there may be too few or too many.
        uploads: the paths that the upload route has returned.

    Raises:
        ImageError: a value does not name an uploaded file, or stands where no file is expected.
    """
    folder = Path(get_upload_folder())
    checked = list(inputs)
    for i, value in enumerate(checked):
        if value is not None and i < len(takes_file) and takes_file[i]:
            checked[i] = check_upload(value, uploads, folder)
        elif contains_file(value):
            raise ImageError(message("errors.not_uploaded"))
    return checked
