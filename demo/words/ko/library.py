"""Korean: the words of demo/captions/library.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The image": "사진",
    "{subject} has more pixels than this page decodes.": "{subject}: 이 페이지가 읽을 수 있는 것보다 픽셀이 많습니다.",
    "{subject} is damaged: it could not be decoded to the end.": "{subject}: 손상되어 끝까지 읽지 못했습니다.",
    "There is no image.": "사진이 없습니다.",
    "Choose or paste one first.": "먼저 사진을 고르거나 붙여 넣으십시오.",
    "{subject} is empty: the file has no bytes.": "{subject}: 비어 있습니다. 파일에 내용이 없습니다.",
    "Send it again.": "다시 보내 주십시오.",
    "{subject} is a file of more than {size} MB.": "{subject}: {size} MB가 넘는 파일입니다.",
    "{subject} looks like {kind}; JPEG, PNG, WebP, GIF, BMP and AVIF are read here.":
        "{subject}: {kind} 형식으로 보입니다. 여기서는 JPEG, PNG, WebP, GIF, BMP, AVIF를 읽습니다.",
    "{subject} is damaged, or not a JPEG, PNG, WebP, GIF, BMP or AVIF image.":
        "{subject}: 손상되었거나 JPEG, PNG, WebP, GIF, BMP, AVIF 사진이 아닙니다.",
    "{subject} has {width} x {height} pixels, {millions} million; at most {most} million are decoded.":
        "{subject}: {width} x {height} 픽셀, {millions}백만 픽셀입니다. {most}백만 픽셀까지 읽습니다.",
    "{subject} is too small: {width} x {height} pixels.": "{subject}: {width} x {height} 픽셀로 너무 작습니다.",
    "Send one with at least {side} pixels on each side.": "가로세로 모두 {side}픽셀 이상인 사진을 보내 주십시오.",
    "{subject} is too thin: {width} x {height} pixels, more than {times} times as long as wide.":
        "{subject}: {width} x {height} 픽셀로 너무 가늡니다. 긴 쪽이 짧은 쪽의 {times}배를 넘습니다.",
    "Cut out the part you mean and send that.": "보고 싶은 부분을 잘라 보내 주십시오.",
    "Open it in an image viewer, save it as JPEG or PNG, and send that.":
        "사진 보기 프로그램에서 열어 JPEG나 PNG로 저장한 뒤 그 파일을 보내 주십시오.",
    "Make it smaller and send it again.": "크기를 줄여 다시 보내 주십시오.",
    "{subject} stores {width} x {height} pixels in {scans} scans, {millions} million pixels in all; at most {most} "
    "million are decoded.":
        "{subject}: {width} x {height} 픽셀이 스캔 {scans}개, 모두 {millions}백만 픽셀입니다. "
        "{most}백만 픽셀까지 읽습니다.",
    "{subject} contains far more metadata than an image needs.":
        "{subject}: 사진에 필요한 것보다 메타데이터가 훨씬 많습니다.",
    "{subject} took longer than {seconds} seconds to decode.": "{subject}: 읽는 데 {seconds}초가 넘게 걸렸습니다.",
    "{subject} could not be decoded: the decoder stopped, or ran out of memory.":
        "{subject}: 읽지 못했습니다. 디코더가 멈추었거나 메모리가 부족했습니다.",
    "Too many images are being decoded.": "지금 읽고 있는 사진이 너무 많습니다.",
    "This machine could not start a decoder.": "이 서버에서 디코더를 시작하지 못했습니다.",
    "Try again in a few seconds.": "몇 초 뒤에 다시 시도하십시오.",
    "turned upright as its EXIF says": "EXIF 정보에 따라 바로 세움",
    "scaled from {before} to {after}": "{before}에서 {after}(으)로 크기를 바꿈",
    "first frame of an animation": "움직이는 그림의 첫 장면",
    "16-bit gray brought to 8 bits": "16비트 회색을 8비트로 바꿈",
    "transparency laid over white": "투명한 부분에 흰 바탕을 깖",
    "timm has no backbone called {name}.": "timm에 {name}(이)라는 백본이 없습니다.",
    "Near it: {names}.": "비슷한 이름: {names}.",
    "{name} is no name of a backbone.": "{name}: 백본 이름이 아닙니다.",
    "{name} is this project's own.": "{name}: 이 프로젝트의 모델입니다.",
    "Name {name} alone.": "이름만 쓰십시오: {name}.",
    "{name} has no OSRA, so there is no attention: its IDConv takes all channels.":
        "{name}에는 OSRA가 없어 어텐션이 없습니다. IDConv가 모든 채널을 맡습니다.",
    "{name} is no TransXNet: {lacks}.": "{name}: TransXNet이 아닙니다. {lacks}.",
    "it generates no kernels": "커널을 생성하지 않습니다",
    "it has no OSRA to attend with": "어텐션을 할 OSRA가 없습니다",
    "its head has no map of its own": "헤드에 고유한 맵이 없습니다",
    "No weights for {name}: {why}": "{name}의 가중치가 없습니다: {why}",
    "{name} shows the architecture with random weights.": "{name}(으)로 무작위 가중치의 구조를 볼 수 있습니다.",
    "{name} publishes no weights for {architecture}.": "{name}에는 {architecture}의 가중치가 없습니다.",
    "No folder is configured.": "설정된 폴더가 없습니다.",
    "Pass --weights-dir or set TRANSXNET_WEIGHTS.": "--weights-dir를 주거나 TRANSXNET_WEIGHTS를 설정하십시오.",
    "No namespace is configured.": "설정된 네임스페이스가 없습니다.",
    "Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE.":
        "--hub-namespace를 주거나 TRANSXNET_HUB_NAMESPACE를 설정하십시오.",
    "No {name} is bundled.": "{name}: 여기에 포함되어 있지 않습니다.",
    "Bundled are: {names}.": "포함된 것: {names}.",
    "The paper's author released no {name}.": "논문 저자가 {name}의 가중치를 공개하지 않았습니다.",
    "Only T, S, B and B-384 are published.": "T, S, B, B-384만 공개되어 있습니다.",
    "stage {stage}, block {block}, mean of {count} heads": "스테이지 {stage}, 블록 {block}, 헤드 {count}개의 평균",
    "stage {stage}, block {block}, largest of {count} heads": "스테이지 {stage}, 블록 {block}, 헤드 {count}개의 최댓값",
    "stage {stage}, block {block}, head {head} of {count}":
        "스테이지 {stage}, 블록 {block}, 헤드 {count}개 중 {head}번",
    "stage {stage}, block {block}, one head": "스테이지 {stage}, 블록 {block}, 헤드 1개",
    "peak {peak}, entropy {entropy}, {distance} px away on average":
        "최댓값 {peak}, 엔트로피 {entropy}, 평균 거리 {distance} px",
    "{apart} from the static kernel (median channel, relative)": "정적 커널과의 거리 {apart}(채널 중앙값, 상대값)",
    "What OSRA mixed into the marked unit.": "표시한 유닛에 OSRA가 섞어 넣은 것.",
    "raw weights": "원래 가중치",
    "IDConv's, generated for this image; learned ones where a variant generates none.":
        "IDConv가 이 사진을 위해 생성한 커널. 생성하지 않는 모델은 학습된 커널.",
    "Where the layer's features raised the explained answer.": "이 층의 특징이 설명할 답의 점수를 올린 곳.",
    "values above zero (ReLU)": "0보다 큰 값(ReLU)",
    "logit": "로짓",
    "One class against another": "한 클래스와 다른 클래스의 대조",
    "Where the layer's features raised the first class more than the second (positive) or less (negative).":
        "이 층의 특징이 첫째 클래스를 둘째보다 더 올린 곳(양수)과 덜 올린 곳(음수).",
    "Grad-CAM of several stages": "여러 스테이지의 Grad-CAM",
    "Where the stages' features raised the explained answer, together.":
        "여러 스테이지의 특징이 함께 설명할 답의 점수를 올린 곳.",
    "values above zero, each stage's over its largest": "0보다 큰 값, 스테이지마다 자기 최댓값으로 나눔",
    "share of each stage's largest": "각 스테이지 최댓값에 대한 비율",
    "Attention rollout (approximation)": "어텐션 롤아웃(근사)",
    "Where attention could have carried something from, through all blocks so far.":
        "지금까지의 모든 블록을 거쳐 어텐션이 무언가를 날라 왔을 수 있는 곳.",
    "in multiples of an even map, colors by the square root": "균일한 맵의 배수, 색은 제곱근",
    "times an even map": "배(균일한 맵 기준)",
    "Which pixels the marked unit depends on.": "표시한 유닛이 의존하는 픽셀들.",
    "absolute gradient over its mean, colors by the square root, the highest 0.5 % of pixels alike":
        "절대 그래디언트를 평균으로 나눈 값, 색은 제곱근, 상위 0.5 % 픽셀은 같은 색",
    "times the mean": "배(평균 기준)",
    "Integrated gradients": "적분 그래디언트",
    "What each pixel adds to the answer on the way from gray.": "회색에서 사진까지 가는 길에 각 픽셀이 답에 더하는 것.",
    "as a density, logits a thousandth of the view's area, colors by the square root":
        "밀도(시야 넓이 1000분의 1당 로짓), 색은 제곱근",
    "logit per ‰ of the view": "시야 1 ‰당 로짓",
    "Which small changes of noisy copies would raise or lower the answer.":
        "잡음을 넣은 사본들에서 답을 올리거나 내릴 작은 변화들.",
    "as a density, per unit of normalized input and thousandth of the view, colors by the square root":
        "밀도(정규화한 입력 단위와 시야 넓이 1000분의 1당), 색은 제곱근",
    "logit per unit of input and ‰ of the view": "입력 단위와 시야 1 ‰당 로짓",
    "Occlusion": "가리기",
    "What the answer loses when a patch turns gray.": "조각 하나를 회색으로 바꾸면 답이 잃는 것.",
    "logit {logit}, {positive_share} % of the map above zero": "로짓 {logit}, 맵의 {positive_share} %가 0보다 큼",
    "logits {logit} and {other_logit}, {positive_share} % of the map for the first":
        "로짓 {logit}, {other_logit}, 맵의 {positive_share} %가 첫째 클래스 쪽",
    "logit {logit}, peak {peak}: at 1 all stages would be at their largest in one place":
        "로짓 {logit}, 최댓값 {peak}: 1이면 모든 스테이지가 같은 곳에서 최대",
    "{from_uniform} % of it is attention's doing, the rest the architecture's":
        "{from_uniform} %는 어텐션, 나머지는 구조에서 온 것",
    "half of it within {r50} % of the view": "절반이 시야의 {r50} % 안에 있음",
    "adds up to {sum}, off by {completeness_error} %": "합계 {sum}, 오차 {completeness_error} %",
    "noise {noise} % of the range; halves of the samples correlate by {halves_correlation}":
        "잡음은 범위의 {noise} %, 표본 절반끼리의 상관 {halves_correlation}",
    "logit {logit}, largest drop {largest_drop}": "로짓 {logit}, 가장 큰 하락 {largest_drop}",
    "random weights, made on the spot": "무작위 가중치, 즉석에서 만듦",
    "in the weights folder": "가중치 폴더에 있음",
    "downloaded from the Hub before": "전에 Hub에서 내려받음",
    "bundled": "포함됨",
    "downloaded from the author's release before": "전에 저자의 배포본을 내려받음",
    "to be downloaded from the Hub": "Hub에서 내려받을 예정",
    "to be downloaded from the author's release": "저자의 배포본을 내려받을 예정",
    "no source has it": "어디에도 없음",
    "Right on {share} % of {images} validation images of Tiny-ImageNet's 200 classes.":
        "Tiny-ImageNet 200개 클래스의 검증 사진 {images}장 가운데 {share} %를 맞힙니다.",
    "Right on {share} % of {images} validation images.": "{images}장의 검증 사진 가운데 {share} %를 맞힙니다.",
    "Its publisher recorded no digest to check against.": "배포자가 대조할 다이제스트를 남기지 않았습니다.",
    "bundled, sha256 {digest}": "포함됨, sha256 {digest}",
    "untrained, sha256 {digest}": "학습되지 않음, sha256 {digest}",
    "random weights": "무작위 가중치",
    "every source failed.": "모든 출처에서 실패했습니다.",
    "the source named was tried, and no other.": "지정한 출처만 시도했습니다.",
    "{variant} has no class “{words}”, so its own top answer, {top}, is explained.":
        "{variant}에는 “{words}” 클래스가 없어, 스스로 가장 높게 본 답인 {top}을(를) 설명합니다.",
    "stage {stage}, block {block}, unit at row {row}, column {column}":
        "스테이지 {stage}, 블록 {block}, {row}행 {column}열의 유닛",
    "stage {stage}, block {block}, query at row {row}, column {column}":
        "스테이지 {stage}, 블록 {block}, {row}행 {column}열의 쿼리",
    "stage {stage}, block {block}, {label} (class {index}) against {other} (class {number})":
        "스테이지 {stage}, 블록 {block}, {label}(클래스 {index}) 대 {other}(클래스 {number})",
    "stage {stage}, block {block}, {label} (class {index})":
        "스테이지 {stage}, 블록 {block}, {label}(클래스 {index})",
    "stages {stages}, mean, {label} (class {index})":
        "스테이지 {stages}의 평균, {label}(클래스 {index})",
}  # fmt: skip
