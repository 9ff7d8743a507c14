"""Korean: the words of demo/captions/kernels.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Generated kernels": "생성된 커널",
    "point at one to look at it closely, press it to hold it": "가리키면 자세히 보고, 누르면 고정합니다",
    "Difference from the static kernel": "정적 커널과의 차이",
    "generated minus uniform gates": "생성된 커널 − 균일한 게이트",
    "Gates of the first group": "첫 그룹의 게이트",
    "Kernels of {title}": "{title}의 커널",
    "Differences from the static kernels of {title}": "{title}: 정적 커널과의 차이",
    "Gates of the first group of {title}": "{title}: 첫 그룹의 게이트",
    "channel {channel}": "채널 {channel}",
    "{what}: {shown} of {all} channels": "{what}: 채널 {all}개 중 {shown}개",
    "gate entropy {entropy:.3f} of 1 (1: static), {groups} groups":
        "게이트 엔트로피 {entropy:.3f}(1이면 정적), 그룹 {groups}개",
    "Channel {channel} of {title}": "{title}의 채널 {channel}",
    "One kernel, looked at closely": "커널 하나 자세히 보기",
    "Press a kernel to hold it here.": "커널을 누르면 여기에 고정됩니다.",
    "Held. Escape, or a second press, lets it go.": "고정됨. Escape를 누르거나 다시 누르면 풀립니다.",
    "The kernel made for this image": "이 사진을 위해 만든 커널",
    "The kernel that every image gets": "모든 사진이 받는 커널",
    "Mixed from {groups} learned kernels": "학습된 커널 {groups}개의 혼합",
    "This variant generates nothing: the kernel is learned once, and every image gets it. So there are no gates and "
    "no difference; what it lets through, and the arithmetic, are the same.":
        "이 모델은 아무것도 생성하지 않습니다. 커널은 한 번 학습되어 모든 사진에 쓰입니다. 그래서 게이트도 차이도 없지"
        "만, 무엇을 통과시키는지와 계산은 똑같이 볼 수 있습니다.",
    "learned {group}": "학습된 커널 {group}",
    "gates {group}": "게이트 {group}",
    "static": "정적",
    "difference": "차이",
    "weight": "가중치",
    "share": "비율",
    "Point at a square. At each of them the image decides which share of each learned kernel is taken; the shares "
    "add up to 100 %. Equal shares would give the static kernel, whatever the image.":
        "칸을 가리켜 보십시오. 칸마다 사진이 학습된 커널을 얼마씩 쓸지 정하며, 비율을 더하면 100 %입니다. 비율이 똑같"
        "으면 어떤 사진에서든 정적 커널이 됩니다.",
    "{tap}: {terms} = {value}. Equal shares would give {static}.":
        "{tap}: {terms} = {value}. 비율이 똑같으면 {static}.",
    "What it lets through": "무엇을 통과시키는가",
    "generated": "생성됨",
    "learned": "학습됨",
    "amplification": "증폭",
    "cycles per unit": "유닛당 주기",
    "Amplification by frequency, 0 to 0.71 cycles per unit: {lines}": "주파수별 증폭, 유닛당 0 ~ 0.71주기: {lines}",
    "In the images the middle is an even surface, the edges are changes from one unit to the next. A line is the "
    "mean at one distance from the middle. A bright middle blurs, a dark one finds edges.":
        "그림의 가운데는 고른 면, 가장자리는 유닛마다 바뀌는 변화입니다. 선은 가운데에서 같은 거리의 평균입니다. 가운"
        "데가 밝으면 흐리게 하고, 어두우면 윤곽을 찾습니다.",
    "One output number, taken apart": "출력 값 하나를 풀어 보기",
    "Under the crosshair: row {row}, column {column} of {rows} x {columns} units. Move over your image or over "
    "these maps to look at another.":
        "십자선 아래: {rows} x {columns} 유닛 중 {row}행 {column}열. 사진이나 이 맵들 위에서 움직이면 다른 유닛을 봅니"
        "다.",
    "Under the pointer: row {row}, column {column} of {rows} x {columns} units.":
        "포인터 아래: {rows} x {columns} 유닛 중 {row}행 {column}열.",
    "Hatched squares lie beyond the edge and count as 0.": "빗금 친 칸은 가장자리 바깥이며 0으로 칩니다.",
    "input": "입력",
    "7 x 7 of it": "그중 7 x 7",
    "kernel": "커널",
    "49 products": "곱 49개",
    "output": "출력",
    "Point at a square for its numbers.": "칸을 가리키면 수치가 나옵니다.",
    "Row {row}, column {column}": "{row}행 {column}열",
    "Blue below zero, red above. Darkest: input ±{input}, kernel ±{kernel}, products ±{products}, output ±{output}.":
        "0보다 작으면 파랑, 크면 빨강. 가장 진한 색: 입력 ±{input}, 커널 ±{kernel}, 곱 ±{products}, 출력 ±{output}.",
    "sum of the products": "곱의 합",
    "bias, mixed likewise": "편향, 같은 방식으로 혼합",
    "added up here": "여기서 더한 값",
    "the model computed": "모델이 계산한 값",
    "apart by": "둘의 차이",
    "the model adds in 32-bit numbers, in an order of its own": "모델은 32비트 수를 나름의 순서로 더합니다",
    "{what}, {channel}: colors from minus {high} to {high}": "{what}, {channel}: 색 범위 −{high} ~ {high}",
    "Amplification by frequency, {channel}, {what}: from 0 to {high}": "주파수별 증폭, {channel}, {what}: 0 ~ {high}",
    "{what}, {channel}: shares from 0 to 1": "{what}, {channel}: 비율 0 ~ 1",
    "{channel}, 49 weights row by row: {numbers}. Arrow keys go from one to the next.":
        "{channel}, 가중치 49개를 행 순서로: {numbers}. 화살표 키로 옮겨 다닙니다.",
}  # fmt: skip
