"""Korean: the words of demo/captions/exports.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Download": "내려받기",
    "what is shown, with a manifest inside": "보이는 것을 그대로, 매니페스트 포함",
    "The maps at full size, with captions and bars": "맵을 원래 크기로, 설명과 색 막대 포함",
    "The same, its words and bars as vectors, for a paper": "같은 내용, 글자와 막대는 벡터(논문용)",
    "The raw arrays, for numpy.load": "원래 배열, numpy.load용",
    "Report": "보고서",
    "One HTML file with figures, numbers and provenance; it needs no network":
        "그림, 수치, 출처가 담긴 HTML 파일 하나. 네트워크가 필요 없습니다",
    "Making the file …": "파일을 만드는 중…",
    "The file could not be made: something unexpected went wrong here. Try again, or another format.":
        "파일을 만들지 못했습니다. 여기서 예상하지 못한 문제가 생겼습니다. 다시 시도하거나 다른 형식을 고르십시오.",
    "The tour has no maps of its own.": "둘러보기에는 맵이 없습니다.",
    "Open one of the other views, then download.": "다른 화면을 연 뒤 내려받으십시오.",
    "{names}: not there yet, so there is nothing to put into a file.":
        "{names}: 아직 준비되지 않아 파일에 넣을 것이 없습니다.",
    "Download again when the maps are shown.": "맵이 보이면 다시 내려받으십시오.",
}  # fmt: skip
