"""Korean: the words of demo/captions/links.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Copy link": "링크 복사",
    "Copied": "복사했습니다",
    "Copy it from here": "여기서 복사하십시오",
    "The address of what you see": "지금 보이는 화면의 주소",
    "Your image is not in the link: whoever opens it starts with the first example, {example}.":
        "올린 사진은 링크에 담기지 않습니다. 링크를 여는 사람은 첫 예시({example})부터 보게 됩니다.",
    "The second image is yours and not in the link: an example takes its place.":
        "두 번째 사진은 올린 사진이라 링크에 담기지 않고, 예시가 그 자리를 대신합니다.",
    "Close": "닫기",
    "The link’s {what}, “{value}”, cannot be used here; it was left out.":
        "링크의 {what} 값 “{value}”은(는) 여기서 쓸 수 없어 뺐습니다.",
    "The link names its {what} more than once; none was used.":
        "링크에 {what} 값이 여러 번 나와 하나도 쓰지 않았습니다.",
    "The link asks for the variant “{value}”, which nobody knows here; it was left out.":
        "링크가 요청한 모델 “{value}”을(를) 여기서는 알 수 없어 뺐습니다.",
    "The link names more than {most} variants; the first {most} are shown.":
        "링크에 모델이 {most}개 넘게 있어 처음 {most}개만 보입니다.",
    "The link’s block {block} is not in stage {stage} of what is compared; the last one is shown.":
        "비교하는 모델의 스테이지 {stage}에는 링크의 블록 {block}번이 없어 마지막 블록을 보입니다.",
    "The link’s point lacks a coordinate; the middle is shown.": "링크의 점에 좌표 하나가 빠져 있어 가운데를 보입니다.",
    "The link’s point, {x}, {y}, lies outside the image; the middle is shown.":
        "링크의 점({x}, {y})이 사진 밖에 있어 가운데를 보입니다.",
    "image": "사진",
    "variants": "모델",
    "view": "화면",
    "stage": "스테이지",
    "block": "블록",
    "Grad-CAM stage": "Grad-CAM 스테이지",
    "position": "점",
    "class": "클래스",
    "compared map": "비교할 맵",
    "second image": "두 번째 사진",
    "step of the tour": "둘러보기 단계",
    "language": "언어",
    "head": "헤드",
    "direction": "방향",
    "color map": "색상 맵",
    "color map of signed maps": "부호 있는 맵의 색상 맵",
    "opacity": "불투명도",
    "gamma": "감마",
    "threshold": "임곗값",
    "way of showing": "표시 방식",
    "sharpness": "선명도",
    "What you painted out is not in the link.": "칠해서 가린 부분은 링크에 담기지 않습니다.",
    "two photos": "사진 두 장",
    "parts switched off": "꺼 둔 부분",
}  # fmt: skip
