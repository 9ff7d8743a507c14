"""The downloads of the page: what a visitor looks at, with the browser's settings, as a file in a component's value."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from transxnet.errors import LensError
from transxnet.study import StudyOptions

from ..columns import with_costs
from ..downloads import downloads
from ..exports import export
from ..exports_asked import Asked, display_of, in_query
from ..i18n.translate import tr, tr_error, use_locale
from ..links import to_query, updated
from ..options import options_of
from ..places import state_of
from ..second import ANALYSES as SECOND_PARTS
from ..second import Second, same_place
from ..session import Controls, Session
from ..shots import shots_of
from .events import read, sent
from .going import Going

log = logging.getLogger(__name__)


class Exporting(Going):
    """Answers the buttons of `exports`, without touching anything else on the page."""

    def exported(
        self, event: gr.EventData, request: gr.Request, session: Session, *values: Any
    ) -> dict[str, Any]:  # fmt: skip
        """The file for this visitor alone: it stands in no folder, and no address leads to it."""
        session = self.studio.visitors.newest(request.session_hash or "", session)
        if not session.image:
            return downloads()
        try:
            with use_locale("en"):  # as the library's captions in it
                file = export(read(event, "format"), self._asked(session, Controls(*values), event))
        except LensError as error:
            return downloads(failed=tr_error(error))
        except Exception:  # the page goes on; the log gets what happened
            log.exception("making a file of %s", session.active)
            return downloads(failed=tr("exports.failed"))
        return downloads(file)

    def _asked(self, session: Session, controls: Controls, event: Any) -> Asked:
        block, _ = self._blocks(session, controls)
        options = options_of(session, controls, block)
        if session.active == "attention":  # the page's whole tables are bytes; a file has the weights as they are
            options = replace(options, analyses=("attention", "position_attention"), position=session.position)
        lent, photos = self._other_key(session, options.analyses), session.active == "compare" and session.photos
        shots, left = shots_of(self.studio, session.image, session.variants, options, lent)
        label = self.examples[session.example].label if session.example >= 0 else ""
        others = [self._second(session)] if lent or photos else []
        shown = [Second(session.image, session.example, label), *others]
        images, second = [self.studio.image(one.key) for one in shown], []
        if photos:
            position = same_place(session.position, *(one.size for one in images))
            asked = replace(options, position=position, analyses=SECOND_PARTS)
            second, _ = shots_of(self.studio, others[0].key, session.variants, asked)
        names = [name for name in session.variants if name not in left]
        columns = with_costs(self.studio, names, [shot.study for shot in shots])
        return Asked(
            session.active, shots, images, [one.label for one in shown],
            _computed(options, session, block), display_of(sent(event, "display")), session.compared, second,
            columns, self.studio.timer.found(names) or {}, left,
            self._address(session, replace(controls, block=block), sent(event, "display")),
            [tr("files.uploaded_reference") for one in others if one.example < 0],
        )  # fmt: skip

    def _address(self, session: Session, controls: Controls, sent: Any) -> str:
        """The page's query, with what only the browser knows; "" for the page as it opens."""
        state = state_of(session, controls, self.studio.image(session.image).size, self.default)
        state, _ = updated(state, in_query(sent))
        if session.example < 0:
            state = replace(state, position=None)  # a place in an image that no link holds
        query = to_query(state)
        return f"?{query}" if query else ""


def _computed(options: StudyOptions, session: Session, block: int) -> dict[str, Any]:
    """What the studies were asked, for the manifest."""
    kept = ("stage", "cam_layer", "position", "target", "ablations", "mask", "fill")
    found = {key: value for key, value in asdict(options).items() if key in kept}
    return found | {"block": block or "last", "position": found["position"] or session.position}
