"""Korean: the words of demo/captions/compare.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The map compared": "비교할 맵",
    "Two photos on one model": "모델 하나에 사진 두 장",
    "Answers": "답",
    "shares of each variant's own classes": "각 모델이 아는 클래스 안에서의 비율",
    "Weights: {where}. {note}": "가중치: {where}. {note}",
    "one scale for all variants": "모든 모델에 같은 척도",
    "Weights as they are, mean over heads. They sum to 1 over each variant's own keys ({keys}), so fewer keys are "
    "larger weights.":
        "가중치 그대로, 헤드들의 평균입니다. 각 모델의 키({keys}) 전체에서 합이 1이므로, 키가 적을수록 가중치가 큽니다"
        ".",
    "Raw logits, nothing is normalized. Two models' logits have no common unit: compare where, and the rank "
    "correlation.":
        "원래 로짓이며 정규화하지 않았습니다. 두 모델의 로짓은 단위가 같지 않으므로, 위치와 순위 상관을 비교하십시오.",
    "The gradient as a multiple of its own mean, colors by the square root: gradients of two models' features have "
    "no common unit.":
        "그래디언트를 자기 평균의 배수로, 색은 제곱근으로 나타냈습니다. 두 모델의 특징에 대한 그래디언트는 단위가 같"
        "지 않습니다.",
    "{exactly}: {low} to {high}": "{exactly}: {low} ~ {high}",
    "{exactly}: even, every key gets 1/{keys}": "{exactly}: 고름, 모든 키가 1/{keys}",
    "{asked}: fewer than two of these variants have it, so this is {shown}.":
        "{asked}: 이 모델들 가운데 이 맵이 있는 것이 둘이 안 되어 {shown} 맵을 보여 줍니다.",
    "No difference beyond rounding:": "반올림 오차를 넘는 차이는 없습니다:",
    "Choose a second variant at “Compare up to three”: then maps, differences and numbers stand beside each other.":
        "모델을 하나 더 고르면 맵, 차이, 수치가 나란히 놓입니다.",
    "Fewer than two of these variants have this map, so there is nothing to compare. Choose another map or variant.":
        "이 모델들 가운데 이 맵이 있는 것이 둘이 안 되어 비교할 것이 없습니다. 다른 맵이나 모델을 고르십시오.",
    "These maps explain different classes ({answers}), so they are not subtracted. Choose an answer that all variants "
    "know.":
        "이 맵들은 서로 다른 클래스를 설명하므로({answers}) 빼지 않습니다. 모든 모델이 아는 답을 고르십시오.",
    "Differences": "차이",
    "second minus first, on what all of them saw": "둘째에서 첫째를 뺀 값, 모두가 본 부분에서",
    "{second} minus {first}": "{second} − {first}",
    "{map}: {second} minus {first}, on the part of the image that all variants saw":
        "{map}: {second} − {first}, 모든 모델이 본 사진 부분에서",
    "mean absolute difference {mean} {units}, from {low} to {high}": "평균 절대 차이 {mean} {units}, {low} ~ {high}",
    "How far the maps agree": "맵들이 일치하는 정도",
    "Pair": "쌍",
    "Rank correlation (Spearman)": "순위 상관(스피어만)",
    "Top {share} in common": "상위 {share} 겹침",
    "Mean absolute difference": "평균 절대 차이",
    "Over the pixels that all variants saw. Top {share} in common: of the pixels that one ranks highest, how many the "
    "other ranks highest as well; two random choices have {share}. Coarse maps agree more easily than fine ones.":
        "모든 모델이 본 픽셀에서 쟀습니다. 상위 {share} 겹침: 한쪽이 가장 높게 본 픽셀 가운데 다른 쪽도 가장 높게 본 "
        "비율입니다. 무작위로 둘을 고르면 {share}입니다. 거친 맵은 고운 맵보다 쉽게 일치합니다.",
    "an even map ranks nothing": "균일한 맵에는 순위가 없습니다",
    "{first} and {second}": "{first} · {second}",
    "Wipe between two": "둘을 밀어서 비교",
    "drag the line, or use the arrow keys": "선을 끌거나 화살표 키를 쓰십시오",
    "How far the map of {first} reaches from the left, the map of {second} from there on":
        "왼쪽부터 {first} 맵이 차지하는 폭, 그다음은 {second} 맵",
    "{map} over the photo: {first} left of the line, {second} right of it":
        "사진 위의 {map}: 선 왼쪽은 {first}, 오른쪽은 {second}",
    "Which two": "어느 둘",
    "What they cost": "드는 비용",
    "one image, without gradients": "사진 한 장, 그래디언트 없이",
    "Parameters": "매개변수",
    "Multiply-adds": "곱셈-덧셈",
    "One pass here": "여기서 한 번 실행",
    "Weights in memory": "메모리 속 가중치",
    "Activations at their peak": "활성값의 최대 메모리",
    "SourceImage it sees": "모델이 보는 사진",
    "Top-1 accuracy": "Top-1 정확도",
    "{side} x {side} pixels": "{side} x {side} 픽셀",
    "{ratio} times {first}": "{first}의 {ratio}배",
    "measuring": "재는 중",
    "not measured: something long runs here, or measuring failed; open Compare again to try once more":
        "재지 못함: 여기서 오래 걸리는 작업이 돌고 있거나 측정에 실패했습니다. 다시 재려면 비교를 다시 여십시오",
    "Time: at batch 1, the median of so many passes: {passes}; the variants take turns. Other work on this machine "
    "slows all of them alike: read the ratio, not the milliseconds. Activations are counted, not measured: the most "
    "that the tensors of a pass take at one moment, without what an operator uses inside.":
        "시간: 배치 1, {passes}번 실행한 중앙값이며 모델들이 번갈아 실행됩니다. 이 컴퓨터의 다른 작업은 모두를 똑같이 "
        "늦추므로, 밀리초가 아니라 비율을 읽으십시오. 활성값은 잰 것이 아니라 센 것입니다. 한 번 실행하는 동안 텐서들"
        "이 동시에 차지하는 최대량이며, 연산 내부에서 쓰는 메모리는 빠져 있습니다.",
    "Activations are counted: the most that the tensors of a pass take at one moment.":
        "활성값은 센 것입니다. 한 번 실행하는 동안 텐서들이 동시에 차지하는 최대량입니다.",
    "on {images} held-out images of Tiny-ImageNet-200 at {side} px, 200 classes. Its model card.":
        "Tiny-ImageNet-200에서 따로 떼어 둔 사진 {images}장, {side} px, 클래스 200개. 모델 카드에서.",
    "on ImageNet-1K, 1000 classes. As published, not measured here.":
        "ImageNet-1K, 클래스 1000개. 발표된 값이며 여기서 재지 않았습니다.",
    "on ImageNet-1K, 1000 classes. As timm measured.": "ImageNet-1K, 클래스 1000개. timm이 잰 값.",
    "None: random weights answer by chance.": "없음: 무작위 가중치의 답은 우연입니다.",
    "Not known here.": "여기서는 알 수 없습니다.",
    "Accuracy against cost": "비용 대비 정확도",
    "as published, each point with its source": "발표된 값, 점마다 출처 있음",
    "Numbers": "수치",
    "Cost": "비용",
    "Images": "사진",
    "as authors report": "저자가 보고한 값",
    "as timm measured": "timm이 잰 값",
    "parameters": "매개변수",
    "GMACs for one image, log scale": "사진 한 장의 GMACs, 로그 척도",
    "million parameters, log scale": "매개변수(백만 개), 로그 척도",
    "every size": "모든 크기",
    "top-1 on ImageNet-1K, %": "ImageNet-1K Top-1, %",
    "convolutional": "합성곱",
    "transformer": "트랜스포머",
    "hybrid": "혼합형",
    "on this page": "이 화면에 있음",
    "Trained on ImageNet-1K alone, as far as the sources say; recipes differ (epochs, augmentation, distillation), so "
    "a point higher is not an architecture better. What authors report and what timm measured are never mixed. "
    "{absent}":
        "출처에서 알 수 있는 한 ImageNet-1K만으로 학습한 모델입니다. 학습 방법(에폭, 증강, 증류)이 다르므로 점이 더 높"
        "다고 더 나은 구조는 아닙니다. 저자가 보고한 값과 timm이 잰 값은 섞지 않습니다. {absent}",
    "Not on this chart: {names}. Its accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images.":
        "이 그래프에 없음: {names}. 정확도를 Tiny-ImageNet-200(64 x 64 사진, 클래스 200개)에서 쟀습니다.",
    "Not on this chart: {names}. Their accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images.":
        "이 그래프에 없음: {names}. 정확도를 Tiny-ImageNet-200(64 x 64 사진, 클래스 200개)에서 쟀습니다.",
    "{count} models: accuracy against cost. Arrow keys go from point to point, Enter keeps one.":
        "모델 {count}개: 비용 대비 정확도. 화살표 키로 점을 옮기고 Enter로 고정합니다.",
    "{name}, {family}: {top1} % top-1, {gmacs} GMACs, {params} M parameters, {size} px":
        "{name}, {family}: Top-1 {top1} %, {gmacs} GMACs, 매개변수 {params} M, {size} px",
    "{v2} % on ImageNet-V2": "ImageNet-V2에서 {v2} %",
    "Source:": "출처:",
    "The same numbers as a table": "같은 수치를 표로 보기",
    "Model": "모델",
    "Family": "계열",
    "Pixels": "픽셀",
    "Parameters (M)": "매개변수(M)",
    "ImageNet-V2 (%)": "ImageNet-V2(%)",
    "Sources": "출처",
    "The published numbers are not here: assets/published.csv is missing or damaged.":
        "발표된 수치가 여기에 없습니다. assets/published.csv가 없거나 손상되었습니다.",
    "This photo": "이 사진",
    "your image": "내 사진",
    "The second: {label}": "둘째 사진: {label}",
    "Second minus first": "둘째 − 첫째",
    "{title}: kernels": "{title}: 커널",
    "the same {count} channels of both, one scale; the difference on its own":
        "두 사진에서 같은 채널 {count}개, 같은 척도. 차이는 따로",
    "{title}: gates of the first group": "{title}: 첫 그룹의 게이트",
    "the share each tap takes from learned kernel 1": "각 탭이 학습된 커널 1에서 가져오는 비율",
    "{title}: attention": "{title}: 어텐션",
    "of the unit at the same place of both views": "두 시야의 같은 자리에 있는 유닛",
    "The two photos' kernels are {apart} apart (median channel, in sizes of the static kernel); from the static "
    "kernel they are {first} and {second}. The weights are made anew for each image.":
        "두 사진의 커널은 서로 {apart}만큼 떨어져 있습니다(채널 중앙값, 정적 커널의 크기 기준). 정적 커널과의 거리는 "
        "각각 {first}, {second}입니다. 가중치는 사진마다 새로 만들어집니다.",
    "Exactly 0: these kernels are learned and not generated, so every image gets the same. Its attention still "
    "differs, as attention is always computed from the image.":
        "정확히 0입니다. 이 커널은 생성된 것이 아니라 학습된 것이어서 모든 사진에서 같습니다. 어텐션은 언제나 사진에"
        "서 계산하므로 그래도 다릅니다.",
    "With random weights this says how an untrained generator reacts, not what was learned.":
        "무작위 가중치에서는 배운 것이 아니라, 학습되지 않은 생성기의 반응을 말할 뿐입니다.",
    "mean absolute difference {gates} over all channels, groups and taps; 0 would be the same mixture":
        "모든 채널, 그룹, 탭의 평균 절대 차이 {gates}. 0이면 같은 혼합입니다",
    "rank correlation {correlation} between the two maps, mean absolute difference {mean}":
        "두 맵의 순위 상관 {correlation}, 평균 절대 차이 {mean}",
    "mean absolute difference {mean}; an even map ranks nothing, so there is no rank correlation":
        "평균 절대 차이 {mean}. 균일한 맵에는 순위가 없어 순위 상관도 없습니다",
    "The second photo is the same as the first: choose another above.":
        "두 번째 사진이 첫 번째와 같습니다. 위에서 다른 사진을 고르십시오.",
    "{what}, for this photo": "이 사진의 {what}",
    "{what}, for the second photo": "두 번째 사진의 {what}",
    "Two photos are two photos: another pair moves the kernels more or less. That kernels differ says that "
    "they depend on the image, not that the answer does; What if measures that, with kernels of another image "
    "lent.":
        "사진 두 장은 두 장일 뿐입니다. 다른 두 장이면 커널이 더 움직이거나 덜 움직입니다. 커널이 다르다는 것은 커널"
        "이 사진에 따라 달라진다는 뜻이지, 답이 달라진다는 뜻은 아닙니다. 그것은 다른 사진의 커널을 빌려 쓰는 ‘만약에’"
        "에서 잽니다.",
}  # fmt: skip
