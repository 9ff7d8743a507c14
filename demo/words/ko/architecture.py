"""Korean: the words of demo/captions/architecture.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The architecture of {variant}: {blocks} blocks in four stages. Every box is a button.":
        "{variant}의 구조: 네 스테이지에 블록 {blocks}개. 상자는 모두 버튼입니다.",
    "{variant}: {blocks} blocks in four stages, for images of {size} × {size} pixels. Each stage shows the "
    "photo in as many squares as it has positions: what a unit stands for, not what it sees.":
        "{variant}: 네 스테이지에 블록 {blocks}개, {size} × {size} 픽셀 사진용. 각 스테이지는 사진을 위치의 수만큼 칸"
        "으로 나누어 보여 줍니다. 유닛이 대표하는 곳이지, 유닛이 보는 곳은 아닙니다.",
    "What you chose is no TransXNet, so this is {variant}.":
        "고른 모델은 TransXNet이 아니므로, 이것은 {variant}입니다.",
    "One block of": "다음의 블록 하나:",
    "A block of stage {stage} of {variant}, opened. Every box is a button.":
        "{variant}, 스테이지 {stage}의 블록을 펼친 그림. 상자는 모두 버튼입니다.",
    "All blocks of a stage are alike. ⊕ adds what went round; × is LayerScale, one learned factor and offset for each "
    "channel. Drop path, in training only, is not drawn.":
        "한 스테이지의 블록은 모두 같습니다. ⊕는 우회한 것을 더하고, ×는 채널마다 계수 하나와 오프셋 하나를 학습한 "
        "LayerScale입니다. 학습 때만 쓰는 드롭 패스는 그리지 않았습니다.",
    "{title}. {lines}. Opens {view}.": "{title}. {lines}. {view} 화면을 엽니다.",
    "{title}. {lines}. Opens {view} of stage {stage}.": "{title}. {lines}. 스테이지 {stage}의 {view} 화면을 엽니다.",
    "SourceImage": "사진",
    "{size} × {size} pixels": "{size} × {size} 픽셀",
    "Stem": "스템",
    "7 × 7, stride 4": "7 × 7, 스트라이드 4",
    "3 × 3, stride 2": "3 × 3, 스트라이드 2",
    "Stage {stage}": "스테이지 {stage}",
    "{grid} × {grid} positions": "위치 {grid} × {grid}",
    "{dim} channels": "채널 {dim}개",
    "{depth} blocks": "블록 {depth}개",
    "{depth} block": "블록 {depth}개",
    "OSRA: {heads} heads, {keys} × {keys} keys": "OSRA: 헤드 {heads}개, 키 {keys} × {keys}",
    "OSRA: one head, {keys} × {keys} keys": "OSRA: 헤드 1개, 키 {keys} × {keys}",
    "IDConv: {groups} kernels mixed": "IDConv: 커널 {groups}개 혼합",
    "Static convolution, no IDConv": "정적 합성곱, IDConv 없음",
    "No OSRA": "OSRA 없음",
    "Head": "헤드",
    "average": "평균",
    "{classes} classes": "클래스 {classes}개",
    "position, by depthwise 7 × 7": "위치 정보, 뎁스와이즈 7 × 7",
    "one mean, one deviation for the whole image": "사진 전체에 평균 하나, 편차 하나",
    "{local} + {wide} channels": "채널 {local} + {wide}개",
    "all {local} channels": "채널 {local}개 전부",
    "split": "분할",
    "{local} channels": "채널 {local}개",
    "image pooled to {kernel} × {kernel}": "사진을 {kernel} × {kernel}로 풀링",
    "softmax gates mix {groups} kernels": "소프트맥스 게이트로 커널 {groups}개 혼합",
    "depthwise {kernel} × {kernel}": "뎁스와이즈 {kernel} × {kernel}",
    "Static convolution": "정적 합성곱",
    "depthwise {kernel} × {kernel}, learned": "뎁스와이즈 {kernel} × {kernel}, 학습됨",
    "{wide} channels, {heads_words}": "채널 {wide}개, {heads_words}",
    "keys {sr} times smaller: {keys} × {keys}": "키를 {sr}배 축소: {keys} × {keys}",
    "keys not reduced: {keys} × {keys}": "키 축소 없음: {keys} × {keys}",
    "{heads} heads": "헤드 {heads}개",
    "one head": "헤드 1개",
    "concat": "이어 붙임",
    "depthwise 3 × 3": "뎁스와이즈 3 × 3",
    "1 × 1 to {inner}, back to {dim}": "1 × 1로 {inner}, 다시 {dim}",
    "plus what came in": "들어온 것을 더함",
    "1 × 1 to {hidden}": "1 × 1로 {hidden}",
    "depthwise 1, 3, 5, 7": "뎁스와이즈 1, 3, 5, 7",
    "1 × 1 back to {dim}": "1 × 1로 다시 {dim}",
}  # fmt: skip
