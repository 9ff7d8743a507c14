"""Korean: the words of demo/captions/attention.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Direction": "방향",
    "mean": "평균",
    "max": "최대",
    "mean of {heads} heads": "헤드 {heads}개의 평균",
    "largest of {heads} heads": "헤드 {heads}개의 최댓값",
    "head {head} of {heads}": "헤드 {heads}개 중 {head}번",
    "What it looks at": "이곳이 보는 곳",
    "Who looks at it": "이곳을 보는 곳",
    "what OSRA mixes into the place under the ring; all of it sums to 1":
        "동그라미 자리에 OSRA가 섞어 넣는 것. 모두 더하면 1",
    "how much every place mixes in of the one under the ring; does not sum to 1":
        "각 위치가 동그라미 자리를 얼마나 섞어 넣는지. 더해도 1이 되지 않음",
    "Square: the unit that answers; ring: the crosshair, dashed while you point somewhere else":
        "네모: 답하는 유닛, 동그라미: 십자선(다른 곳을 가리키는 동안은 점선)",
    "{layer}, {which}: peak {peak}, entropy {entropy}, {distance} px away on average":
        "{layer}, {which}: 최댓값 {peak}, 엔트로피 {entropy}, 평균 거리 {distance} px",
    "{layer}, {which}: peak {peak}, {total} from all places together; {even} if all were used alike":
        "{layer}, {which}: 최댓값 {peak}, 모든 위치에서 합계 {total}. 고르게 쓰이면 {even}",
    "{layer}, {which}: peak {peak}": "{layer}, {which}: 최댓값 {peak}",
    "stage {stage}, block {block}": "스테이지 {stage}, 블록 {block}",
    "All heads": "모든 헤드",
    "{grid} keys each, and its entropy: 0 is one key only, 1 all alike. Press one to see it large":
        "각각 키 {grid}, 그리고 엔트로피: 0은 키 하나만, 1은 모두 똑같이. 누르면 크게 봅니다",
    "{grid} places each, and its peak. Press one to see it large":
        "각각 위치 {grid}, 그리고 최댓값. 누르면 크게 봅니다",
    "head {head}": "헤드 {head}",
    "All stages": "모든 스테이지",
    "the same place in the last block of every stage, {which}; below each its peak":
        "모든 스테이지의 마지막 블록에서 같은 자리, {which}. 아래는 각각의 최댓값",
    "mean of heads": "헤드들의 평균",
    "largest of heads": "헤드들의 최댓값",
    "stage {stage}": "스테이지 {stage}",
    " or ": " 또는 ",
}  # fmt: skip
