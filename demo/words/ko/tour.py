"""Korean: the words of demo/captions/tour.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Start the tour": "둘러보기 시작",
    "Go on with the tour": "둘러보기 계속",
    "The steps": "단계",
    "{count} steps. Everything can be moved meanwhile, and your image stays.":
        "모두 {count}단계입니다. 그동안에도 무엇이든 움직일 수 있고, 사진은 그대로 남습니다.",
    "Guided tour": "안내",
    "Step {step} of {count}": "{count}단계 중 {step}단계",
    "Back": "이전",
    "Next": "다음",
    "Finish": "마침",
    "Leave the tour": "둘러보기 나가기",
    "Show me again": "다시 보기",
    "What to do": "해 볼 일",
    "Source: {source}": "출처: {source}",
    "Why a fixed kernel is not enough": "고정된 커널로는 왜 부족한가",
    "Two small models, trained alike: {first} makes its 7 × 7 kernels for each image, {second} learned one set for "
    "all.":
        "똑같이 학습한 작은 모델 둘이 있습니다. {first} 모델은 사진마다 7 × 7 커널을 만들고, {second} 모델은 모두에게 "
        "쓸 한 벌을 배웠습니다.",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median "
    "distance between their kernels.":
        "아래의 그림 “Do the kernels move from image to image?”는 사진 두 장을 나란히 놓습니다. 두 커널 사이의 거"
        "리(중앙값)를 읽어 보십시오.",
    "Choose another photo at “Compare with”: only {first} follows. {second} meets every image with the same "
    "kernels.":
        "‘비교할 사진’에서 다른 사진을 고르십시오. {first} 모델만 따라 바뀝니다. {second} 모델은 어떤 사진이든 같은 커"
        "널로 봅니다.",
    "A usual convolution learns one set of kernels and uses it for all. {first} makes its 7 × 7 kernels anew.":
        "보통의 합성곱은 커널 한 벌을 배워 모든 사진에 씁니다. {first} 모델은 7 × 7 커널을 새로 만듭니다.",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median "
    "distance between their kernels; for a fixed set it would be zero.":
        "아래의 그림 “Do the kernels move from image to image?”는 사진 두 장을 나란히 놓습니다. 두 커널 사이의 거"
        "리(중앙값)를 읽어 보십시오. 고정된 한 벌이라면 0입니다.",
    "Choose another photo at “Compare with”, and the kernels follow.":
        "‘비교할 사진’에서 다른 사진을 고르면 커널이 따라 바뀝니다.",
    "TransXNet, arXiv 2310.19380, section 3 (IDConv). The model without it is this project’s own.":
        "TransXNet, arXiv 2310.19380, 3절(IDConv). IDConv 없는 모델은 이 프로젝트가 만든 것입니다.",
    "What IDConv generates": "IDConv가 만드는 것",
    "The image, pooled to 7 × 7, decides for every channel and every tap how a few learned kernels are mixed. These "
    "shares are the gates.":
        "7 × 7로 풀링한 사진이, 채널과 탭마다 몇 개의 학습된 커널을 어떻게 섞을지 정합니다. 이 비율이 게이트입니다.",
    "“Difference from the static kernel”: red and blue are what this image changed. Even gates would give the "
    "static kernel.":
        "‘정적 커널과의 차이’에서 빨강과 파랑은 이 사진이 바꾼 것입니다. 게이트가 고르면 정적 커널이 됩니다.",
    "Read the gate entropy: at 1 the image chose nothing, near 0 one learned kernel alone. Then choose another "
    "image.":
        "게이트 엔트로피를 읽어 보십시오. 1이면 사진이 아무것도 고르지 않은 것이고, 0에 가까우면 학습된 커널 하나만 고"
        "른 것입니다. 그런 다음 다른 사진을 고르십시오.",
    "All positions of an image share its kernels.": "한 사진의 모든 위치는 같은 커널을 씁니다.",
    "arXiv 2310.19380, section 3 (IDConv)": "arXiv 2310.19380, 3절(IDConv)",
    "Where OSRA looks": "OSRA가 보는 곳",
    "The other half of the channels asks the whole image at once. Move over the photo: the map shows what the "
    "unit under the pointer mixes in.":
        "나머지 절반의 채널은 사진 전체에 한꺼번에 묻습니다. 사진 위에서 포인터를 움직이면, 그 아래의 유닛이 무엇을 섞"
        "어 넣는지 맵이 보여 줍니다.",
    "“All heads”: under each stands its entropy. 0 is a look at one key only, 1 at all alike.":
        "‘모든 헤드’: 각각의 아래에 엔트로피가 있습니다. 0은 키 하나만, 1은 모두를 똑같이 본 것입니다.",
    "“All stages”: from stage 1 to stage 4 the unit grows coarser, but the keys it asks stay as many.":
        "‘모든 스테이지’: 스테이지 1에서 4로 갈수록 유닛은 거칠어지지만, 묻는 키의 수는 그대로입니다.",
    "arXiv 2310.19380, section 3 (OSRA)": "arXiv 2310.19380, 3절(OSRA)",
    "How D-Mixer joins them": "D-Mixer가 둘을 합치는 방법",
    "In every block half of the channels goes through IDConv and half through OSRA; STE joins the two.":
        "블록마다 채널의 절반은 IDConv를, 절반은 OSRA를 지나고, STE가 둘을 합칩니다.",
    "Switch “IDConv’s half” off, and read how far the answer’s logit moves. Then on again, and “OSRA’s half” off.":
        "‘IDConv 쪽 절반’을 끄고 답의 로짓이 얼마나 움직이는지 읽어 보십시오. 다시 켠 뒤 ‘OSRA 쪽 절반’을 꺼 보십시오.",
    "Use is not size: “The two halves of D-Mixer”, a figure of Attention, measures how much each half puts in.":
        "쓰임은 크기가 아닙니다. 어텐션 화면의 그림 “The two halves of D-Mixer”는 각 절반이 얼마나 넣는지를 잽니다.",
    "arXiv 2310.19380, section 3 (D-Mixer and STE). Silencing halves is this project’s.":
        "arXiv 2310.19380, 3절(D-Mixer와 STE). 절반을 끄는 것은 이 프로젝트가 더한 것입니다.",
    "What the receptive field shows": "수용 영역이 보여 주는 것",
    "These are the pixels on which the unit under the crosshair depends. The words under the map say how much of the "
    "image the smallest square covers that holds half of the gradient.":
        "십자선 아래의 유닛이 의존하는 픽셀들입니다. 맵 아래의 글은 그래디언트의 절반을 담는 가장 작은 정사각형이 사진"
        "의 얼마를 덮는지 말합니다.",
    "Look from stage 1, then from stage 3 again, and compare the two.":
        "스테이지 1에서 본 다음 다시 스테이지 3에서 보고, 둘을 비교하십시오.",
    "Below, “Receptive field, taken apart” holds generated kernels, attention weights and norms still, one after the "
    "other: what goes away with them came through what the whole image had set.":
        "아래의 그림 “Receptive field, taken apart”는 생성된 커널, 어텐션 가중치, 정규화를 차례로 고정합니다. 그때 사"
        "라지는 것은 사진 전체가 정한 것을 거쳐 온 것입니다.",
    "arXiv 2310.19380, figure 1, averages many images; this is one. Taking it apart is this project’s.":
        "arXiv 2310.19380, 그림 1은 여러 사진의 평균이고, 이것은 한 장입니다. 나누어 보는 것은 이 프로젝트가 더한 것입"
        "니다.",
    "How far to trust it": "얼마나 믿을 수 있는가",
    "A map is a claim. The tests below take pixels away in a map’s order, and give the model random weights: a map "
    "that stays the same then does not explain the model.":
        "맵은 하나의 주장입니다. 아래의 시험은 맵의 순서대로 픽셀을 없애고, 모델에 무작위 가중치를 줍니다. 그래도 그대"
        "로인 맵은 모델을 설명하지 않습니다.",
    "They take a while. Read the table first: for each map a word on the model and a word on the answer.":
        "시간이 조금 걸립니다. 먼저 표를 읽으십시오. 맵마다 모델에 대한 한마디와 답에 대한 한마디가 있습니다.",
    "Then go on: your own image, a larger variant beside {first}, or “pico, untrained”, whose maps look lively too.":
        "그런 다음 더 해 보십시오. 내 사진, {first} 옆에 더 큰 모델, 또는 ‘pico(학습 안 됨)’. 그 맵도 그럴듯해 보입니"
        "다.",
    "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)":
        "arXiv 1806.07421, 4.1절(RISE); arXiv 1810.03292, 3.1절(Adebayo 외)",
}  # fmt: skip
