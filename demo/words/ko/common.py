"""Korean: the words of demo/captions/__init__.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "See what a dynamic backbone looks at, and the kernels it makes for your image.":
        "동적 백본이 어디를 보는지, 이 사진을 위해 어떤 커널을 만드는지 들여다봅니다.",
    "Overview": "한눈에 보기",
    "Attention": "어텐션",
    "Kernels": "커널",
    "Receptive field": "수용 영역",
    "Compare": "비교",
    "What if": "만약에",
    "Trust": "신뢰도",
    "Tour": "둘러보기",
    "Four views of one forward pass. Move the crosshair on the image: attention and receptive field follow it. Pick "
    "another answer: Grad-CAM follows that.":
        "순전파 한 번을 네 가지로 봅니다. 사진 위에서 십자선을 옮기면 어텐션과 수용 영역이 따라가고, 다른 답을 고르면 "
        "Grad-CAM이 따라갑니다.",
    "Two or three variants on one photo: what each answers, where their maps differ and by how much, and what "
    "each costs. Or two photos on one model: what it generates anew for each.":
        "사진 한 장에 모델 두세 개: 각각의 답, 맵이 어디서 얼마나 다른지, 비용은 얼마인지. 또는 모델 하나에 사진 두 장"
        ": 사진마다 새로 무엇을 만드는지.",
    "Move over the image or over a map: at once every variant shows which places its attention, OSRA, mixes into "
    "that place. Click to stay there.":
        "사진이나 맵 위에서 포인터를 움직이면, 그 자리에 어텐션(OSRA)이 어느 곳들을 섞어 넣는지 모든 모델이 바로 보여 "
        "줍니다. 누르면 그 자리에 고정됩니다.",
    "The 7 x 7 depthwise kernels that IDConv composed for this very image: {shown} channels of each variant, chosen "
    "to show their variety.":
        "IDConv가 바로 이 사진을 위해 합성한 7 x 7 뎁스와이즈 커널입니다. 모델마다 다양한 모습이 드러나도록 채널 "
        "{shown}개를 골랐습니다.",
    "Which places of a stage's output raised the chosen answer's score, and which lowered it.":
        "스테이지 출력의 어느 곳이 고른 답의 점수를 올렸고 어느 곳이 내렸는지 보여 줍니다.",
    "The pixels on which the unit under the crosshair depends: the gradient of its features with respect to this "
    "image.":
        "십자선 아래의 유닛이 의존하는 픽셀들입니다. 유닛의 특징을 이 사진에 대해 미분한 그래디언트입니다.",
    "Switch parts of the model off, or paint a region of the image out, and see what becomes of the answer.":
        "모델의 일부를 끄거나 사진의 한 영역을 칠해 지우고, 답이 어떻게 되는지 봅니다.",
    "Whether to believe the maps: what happens to the answer when their highest pixels go, what happens to a map when "
    "the model forgets what it learned, and how far the maps agree.":
        "맵을 믿어도 되는지 확인합니다. 맵이 가장 높게 본 픽셀을 없애면 답이 어떻게 되는지, 모델이 배운 것을 잊으면 맵"
        "이 어떻게 되는지, 맵들이 서로 얼마나 일치하는지 봅니다.",
    "Each block of TransXNet looks at an image in two ways at once: through kernels made for this very image, and "
    "through attention over all of it. Press a box to open the view that shows it, or take the tour.":
        "TransXNet의 블록은 사진을 두 가지로 동시에 봅니다. 바로 이 사진을 위해 만든 커널로, 그리고 사진 전체에 대한 "
        "어텐션으로. 상자를 누르면 해당 화면이 열립니다. 차례로 안내받을 수도 있습니다.",
    "Attention weights say what was mixed in, not why the answer was given. Grad-CAM says what raised this answer's "
    "score, at the resolution of its layer. All maps are drawn where their units really sit, over the image at its "
    "own sharpness; More > as the model saw it shows the {sizes} pixels it was given. A column has one color "
    "scale, so equal colors are equal values.":
        "어텐션 가중치는 무엇이 섞였는지를 말할 뿐, 왜 그 답이 나왔는지는 말하지 않습니다. Grad-CAM은 무엇이 이 답의 "
        "점수를 올렸는지를 그 층의 해상도로 말합니다. 모든 맵은 유닛의 실제 위치에, 원래 선명도의 사진 위에 그립니다. "
        "‘더 보기 > 모델이 본 그대로’를 켜면 모델이 받은 {sizes} 픽셀이 보입니다. 한 열은 색 척도가 하나이므로 색이 "
        "같으면 값도 같습니다.",
    "A share is the softmax over the model's own classes: a model that knows none of what is in the image still "
    "spreads 100 % over what it knows. Maps that agree may be wrong together, and maps that differ need not be worse: "
    "two models may find different evidence for one answer.":
        "비율은 각 모델이 아는 클래스들에 대한 소프트맥스입니다. 사진 속의 어느 것도 모르는 모델이라도 아는 것들에 "
        "100 %를 나누어 줍니다. 일치하는 맵이 함께 틀릴 수도 있고, 다른 맵이 더 나쁜 것도 아닙니다. 두 모델이 같은 답"
        "에 서로 다른 근거를 찾았을 수 있습니다.",
    "Weights of one block and one half of the channels: the other half goes through IDConv, and a residual path goes "
    "round both. A map over keys that have already seen their neighborhood is not a map of causes. Weights are those "
    "after the softmax, to 0.2 % of the largest one a head gives at that place; keys are a map smaller than the "
    "image.":
        "블록 하나, 채널 절반의 가중치입니다. 나머지 절반은 IDConv를 지나고, 잔차 경로가 둘 다 우회합니다. 이미 주변"
        "을 본 키에 대한 맵은 원인의 맵이 아닙니다. 소프트맥스를 거친 가중치이며, 그 자리에서 헤드가 주는 최댓값의 "
        "0.2 %까지 정확합니다. 키는 사진보다 작은 맵입니다.",
    "The released model's kernels differ by image, channel and tap, and are the same at every position of a "
    "image: texts that call them spatially varying mean the taps. The static kernel is what uniform gates would "
    "give: the mean of the learned kernels.":
        "공개된 모델의 커널은 사진, 채널, 탭마다 다르지만 한 사진의 모든 위치에서는 같습니다. ‘공간적으로 달라진다’는 "
        "글은 탭을 뜻합니다. 정적 커널은 게이트가 균일할 때의 커널, 곧 학습된 커널들의 평균입니다.",
    "A first-order estimate at the resolution of its stage. The raw map is kept: red raised the score, blue lowered "
    "it; nothing is scaled for each image. Early stages see edges and colors, not objects.":
        "해당 스테이지의 해상도로 구한 1차 근사입니다. 원래 맵을 그대로 둡니다. 빨강은 점수를 올렸고 파랑은 내렸으며, "
        "사진별로 척도를 바꾸지 않습니다. 앞쪽 스테이지는 물체가 아니라 윤곽과 색을 봅니다.",
    "IDConv's gates and the norms' statistics let every pixel touch every unit, so this mixes what is seen with what "
    "modulates. Drawn is each pixel's gradient as a multiple of the image's average; the highest 0.5 % of pixels "
    "share one color. The squares under a map are measured on its raw values.":
        "IDConv의 게이트와 정규화 통계를 통해 모든 픽셀이 모든 유닛에 닿으므로, 본 것과 조절한 것이 섞여 있습니다. 각 "
        "픽셀의 그래디언트를 사진 평균의 배수로 그렸고, 상위 0.5 % 픽셀은 같은 색입니다. 맵 아래의 정사각형은 원래 값"
        "으로 쟀습니다.",
    "The model was never trained with a part changed. A large change says that the part is used for this image, not "
    "that a model trained without it would be worse by as much; a small one may mean that another part does the same.":
        "모델은 일부가 바뀐 채 학습된 적이 없습니다. 변화가 크면 이 사진에서 그 부분을 쓴다는 뜻이지, 그 부분 없이 학"
        "습한 모델이 그만큼 나쁘다는 뜻은 아닙니다. 변화가 작으면 다른 부분이 같은 일을 하는 것일 수도 있습니다.",
    "Passing a test is no proof that a map explains; failing one is a reason not to show it to anybody.":
        "시험을 통과했다고 맵이 설명이 된다는 증거는 아닙니다. 통과하지 못했다면 누구에게도 보이지 않는 것이 좋습니다.",
    "B at 384": "B, 384 px",
    "pico, matched": "pico(비교용)",
    "pico, static": "pico(정적 커널)",
    "pico, no OSRA": "pico(OSRA 없음)",
    "pico, no STE": "pico(STE 없음)",
    "{part} took {seconds:.0f} s on this machine.": "‘{part}’ 계산에 이 컴퓨터에서 {seconds:.0f}초 걸렸습니다.",
    "testing the maps": "맵을 시험하는 중",
    "changing one part after the other": "부분을 하나씩 바꾸는 중",
    "taking the field apart": "수용 영역을 나누어 보는 중",
    "{done} of {total}": "{total} 중 {done}",
    "{title}: {done} of {total}": "{title}: {total} 중 {done}",
    "drawing the figures": "그림을 그리는 중",
    "The figures could not be drawn: something unexpected went wrong here. The server's log has the details.":
        "그림을 그리지 못했습니다. 여기서 예상하지 못한 문제가 생겼습니다. 자세한 내용은 서버 로그에 있습니다.",
    "Receptive fields beside other backbones": "다른 백본과 나란히 본 수용 영역",
    "One map a model, the same unit of this image: absolute gradient over its own mean, colors over six powers of "
    "ten on one scale. The paper's Figure 1 averages many images; this is one.":
        "모델마다 맵 하나, 이 사진의 같은 유닛: 절대 그래디언트를 자기 평균으로 나누고, 10의 6제곱 범위를 한 색 척도"
        "에 담았습니다. 논문의 그림 1은 여러 사진의 평균이고, 이것은 한 장입니다.",
    "Random weights, as no trained ones are on this machine's disk: {names}. Add one by its name without @untrained "
    "to download them.":
        "학습된 가중치가 이 컴퓨터의 디스크에 없어 무작위 가중치를 썼습니다: {names}. @untrained를 뺀 이름으로 추가하"
        "면 내려받습니다.",
    "Receptive field maps of {names}, side by side.": "{names}의 수용 영역 맵을 나란히 놓은 그림.",
    "Models see different crops and sizes of the image. A wide field is not a merit of its own.":
        "모델마다 사진에서 보는 부분과 크기가 다릅니다. 수용 영역이 넓다고 그 자체로 장점은 아닙니다.",
    "the answer chosen above": "위에서 고른 답",
    "{title} could not explain this image: something unexpected went wrong here.":
        "{title}: 이 사진을 설명하지 못했습니다. 여기서 예상하지 못한 문제가 생겼습니다.",
    "Try again, or choose another variant; the server's log has the details.":
        "다시 시도하거나 다른 모델을 고르십시오. 자세한 내용은 서버 로그에 있습니다.",
    "Weights folder": "가중치 폴더",
    "Hugging Face Hub": "Hugging Face Hub",
    "Bundled here": "여기 포함된 것",
    "The author's release": "저자의 배포본",
    "The other variants go on working. Untrained ones show an architecture with random weights.":
        "다른 모델은 계속 쓸 수 있습니다. 학습되지 않은 모델은 무작위 가중치로 구조만 보여 줍니다.",
    "the smallest square about the unit that holds {shares} of the gradient covers {areas} of the image":
        "유닛을 중심으로 그래디언트의 {shares}를 담는 가장 작은 정사각형은 사진의 {areas}를 덮습니다",
    "random weights, not trained": "무작위 가중치, 학습되지 않음",
    "working": "계산하는 중",
    "looking for weights": "가중치를 찾는 중",
    "reading the weights": "가중치를 읽는 중",
    "downloading {what}": "내려받는 중: {what}",
    "Nothing has arrived for {seconds} s. Still trying; the other columns go on, and so can you without this one.":
        "{seconds}초 동안 아무것도 오지 않았습니다. 계속 시도합니다. 다른 열은 계속되며, 이 열 없이도 쓸 수 있습니다.",
    "No answer for {seconds} s. Still trying; the other columns go on, and so can you without this one.":
        "{seconds}초 동안 응답이 없습니다. 계속 시도합니다. 다른 열은 계속되며, 이 열 없이도 쓸 수 있습니다.",
    "learned, the same for every image": "학습된 커널, 모든 사진에서 같음",
    "Nothing is generated here: every image gets these learned kernels. So there is no difference, and no gates.":
        "여기서는 아무것도 생성하지 않습니다. 모든 사진이 이 학습된 커널을 받습니다. 그래서 차이도 게이트도 없습니다.",
    "Choose another variant, or another view.": "다른 모델이나 다른 화면을 고르십시오.",
    "Only uploaded images can be used: paths and addresses are not opened. Upload the image, then send it again.":
        "업로드한 이미지만 쓸 수 있습니다. 경로나 주소는 열지 않습니다. 이미지를 업로드한 뒤 다시 요청해 주십시오.",
    "This file is not available here, or no longer. Create it again, then download it.":
        "이 파일은 여기에 없거나 더 이상 없습니다. 다시 만든 뒤 내려받아 주십시오.",
    "There is no room for this file: the server's temporary storage is full.":
        "이 파일을 둘 자리가 없습니다. 서버의 임시 저장 공간이 가득 찼습니다.",
    "Try again in a few minutes.": "몇 분 뒤에 다시 시도하십시오.",
    "This image is no longer held here. Drop it again, or pick an example.":
        "이 사진은 더 이상 여기에 없습니다. 다시 끌어다 놓거나 예시를 고르십시오.",
}  # fmt: skip
