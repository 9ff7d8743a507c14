"""Korean: the words of demo/captions/models.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "More than {most} models were chosen at once; none was loaded.":
        "한 번에 고를 수 있는 모델은 {most}개까지입니다. 아무것도 불러오지 않았습니다.",
    "Choose fewer.": "더 적게 고르십시오.",
    "This page does not offer that timm backbone.": "이 페이지에서는 그 timm 백본을 쓸 수 없습니다.",
    "It offers {names}.": "쓸 수 있는 백본: {names}.",
    "This page offers no timm backbones.": "이 페이지에서는 timm 백본을 쓸 수 없습니다.",
    "Choose one of the TransXNet variants.": "TransXNet 모델 가운데 하나를 고르십시오.",
    "{name} has {millions} million parameters, too many for this page.":
        "{name}: 파라미터가 {millions}백만 개로, 이 페이지에는 너무 큽니다.",
    "Choose a backbone of up to {millions} million.": "파라미터 {millions}백만 개까지의 백본을 고르십시오.",
    "{name} needs more memory than this page has for one model.":
        "{name}: 이 페이지가 모델 하나에 쓸 수 있는 것보다 메모리가 많이 필요합니다.",
    "The download has {size} GB; this page keeps {most} GB of downloads.":
        "내려받을 파일은 {size} GB입니다. 이 페이지는 {most} GB까지 보관합니다.",
    "Choose a smaller model.": "더 작은 모델을 고르십시오.",
    "{name} is still to be downloaded, and other requests wait for downloads already.":
        "{name}: 아직 내려받지 않았고, 이미 다른 요청들이 내려받기를 기다리고 있습니다.",
    "Try again in a minute.": "잠시 뒤에 다시 해 보십시오.",
    "Nobody waited for this model any more.": "이 모델을 기다리는 요청이 더는 없었습니다.",
    "Choose it again.": "다시 고르십시오.",
    "Loading {name} failed unexpectedly.": "{name}: 불러오는 중에 예기치 않은 오류가 났습니다.",
    "Pick another variant.": "다른 모델을 고르십시오.",
}  # fmt: skip
