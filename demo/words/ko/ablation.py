"""Korean: the words of demo/captions/ablation.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Switch parts off": "일부를 끄기",
    "Several at once; each where you say. The places follow the stage and block chosen at the side.":
        "여러 개를 함께, 각각 원하는 곳에서 끌 수 있습니다. 위치는 옆에서 고른 스테이지와 블록을 따릅니다.",
    "off: gates made uniform, one kernel for every image": "끄면: 게이트를 균일하게, 모든 사진에 같은 커널",
    "This image’s own kernels": "이 사진만의 커널",
    "off: those made for the image under Compare with are used": "끄면: ‘비교할 사진’의 커널을 씁니다",
    "Attention that chooses": "골라 보는 어텐션",
    "off: made even, every position gets the mean of all": "끄면: 균일하게, 모든 위치가 전체의 평균을 받습니다",
    "IDConv’s half": "IDConv 쪽 절반",
    "off: zeros in its place": "끄면: 그 자리에 0",
    "OSRA’s half": "OSRA 쪽 절반",
    "STE, which joins the halves": "두 절반을 잇는 STE",
    "off: they stay side by side": "끄면: 두 절반을 나란히 두기만 합니다",
    "Heads of OSRA": "OSRA의 헤드",
    "press the ones to silence": "끌 헤드를 누르십시오",
    "off": "꺼짐",
    "on": "켜짐",
    "Head {head}": "헤드 {head}",
    "Where: {words}": "위치: {words}",
    "everywhere": "모든 곳",
    "Paint a region out": "영역을 칠해 지우기",
    "Draw with mouse or finger. By keyboard: arrow keys move the square, Space paints, Z takes the last stroke back.":
        "마우스나 손가락으로 그립니다. 키보드에서는 화살표 키로 칸을 옮기고, 스페이스로 칠하고, Z로 마지막 획을 되돌립"
        "니다.",
    "What {title} sees of your image, to paint on. {share} of it is painted out.":
        "칠할 수 있는 사진, {title} 모델이 보는 부분. {share}가 칠해져 있습니다.",
    "Replaced in the pixels that a model is given: {sizes}.": "모델에 주는 픽셀에서 바꿉니다: {sizes}.",
    "{size} for {title}": "{title} {size}",
    "Brush": "붓",
    "small": "작게",
    "medium": "중간",
    "large": "크게",
    "Undo": "되돌리기",
    "Clear": "모두 지우기",
    "Everything on again": "모두 다시 켜기",
    "Filled with": "채우기",
    "blur": "흐림",
    "what is around": "주변",
    "Nothing is changed yet: these are the answers to the image as it is.":
        "아직 아무것도 바꾸지 않았습니다. 사진 그대로에 대한 답입니다.",
    "{title}: {label} {before} → {after}, logit {logit_before} → {logit_after}":
        "{title}: {label} {before} → {after}, 로짓 {logit_before} → {logit_after}",
    "It now answers {label}.": "이제 답은 {label}입니다.",
    "logit {before} → {after}": "로짓 {before} → {after}",
    "Answers of {title}: before pale, now full.": "{title}의 답: 전은 옅게, 지금은 진하게.",
    "Painting {share} of its view out changes the logit of {label} by {change}.":
        "시야의 {share}를 칠해 지우면 {label}의 로짓이 {change}만큼 바뀝니다.",
    "The same shape moved elsewhere changes it by {mean} (mean of {n} places, {low} to {high}).":
        "같은 모양을 다른 곳으로 옮기면 {mean}만큼 바뀝니다({n}곳의 평균, {low} ~ {high}).",
    "The shape is too large to be moved elsewhere for comparison.":
        "모양이 너무 커서 다른 곳으로 옮겨 비교할 수 없습니다.",
    "Nothing of the painted region lies in what {title} sees.": "칠한 영역이 {title} 모델이 보는 부분 밖에 있습니다.",
    "What {title} was given, {size} pixels": "{title} 모델이 받은 것, {size} 픽셀",
    "Not changed here: {why}": "여기서는 바꾸지 않음: {why}",
    "All changes, one at a time": "모든 변화, 한 번에 하나씩",
    "Every question in every block, alone: {seconds} or longer. It is drawn below.":
        "모든 블록의 모든 질문을 하나씩: {seconds} 이상 걸립니다. 결과는 아래에 그립니다.",
    "tens of seconds": "수십 초",
}  # fmt: skip
