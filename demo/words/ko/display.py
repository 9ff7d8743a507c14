"""Korean: the words of demo/captions/display.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Display": "표시",
    "Opacity": "불투명도",
    "Colors": "색",
    "each map's own": "맵마다 고유한 색",
    "Scale": "척도",
    "raw": "원래 값",
    "normalized": "정규화",
    "masked": "마스크",
    "One scale for all maps of a column: equal colors are equal values":
        "한 열의 모든 맵에 같은 척도. 색이 같으면 값도 같습니다",
    "Each map on its own scale, up to its own largest value": "맵마다 자기 최댓값까지의 척도",
    "The photo where a map is above the threshold, dark elsewhere":
        "맵이 임곗값보다 높은 곳만 사진을 보이고 나머지는 어둡게",
    "More": "더 보기",
    "Colors of signed maps": "부호 있는 맵의 색",
    "Gamma": "감마",
    "Color = share of the scale to this power: below 1 low values show more, above 1 less":
        "색 = 척도에서의 비율의 거듭제곱. 1보다 작으면 낮은 값이 더 보이고, 크면 덜 보입니다",
    "Threshold": "임곗값",
    "Nothing is drawn below this share of the scale's largest value; on both sides of zero where it has two":
        "척도 최댓값의 이 비율보다 낮으면 그리지 않습니다. 양쪽이 있으면 0의 양쪽 모두",
    "as the model saw it": "모델이 본 그대로",
    "Reset": "초기화",
    "gray": "회색",
    "blue, white, red": "파랑, 흰색, 빨강",
    "blue, gray, red": "파랑, 회색, 빨강",
    "Each map on its own scale: do not compare brightness.": "맵마다 척도가 다르므로 밝기를 비교하지 마십시오.",
    "{units}, root scale": "{units}, 제곱근 척도",
    "least": "최소",
    "most": "최대",
    "gamma {gamma}": "감마 {gamma}",
    "shown from {value}": "{value}부터 표시",
    "shown from {share} %": "{share} %부터 표시",
    "row {row}, column {col}": "{row}행 {col}열",
    "tap in row {row}, column {col}": "탭 {row}행 {col}열",
}  # fmt: skip
